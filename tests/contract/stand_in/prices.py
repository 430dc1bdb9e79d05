"""The Price List Query API, which moto lacks: GetProducts over a few made-up prices, in the shape that AWS answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PRICES = {
    ("ml.g4dn.xlarge", "Training"): "0.8000000000",
    ("ml.m5.large", "Training"): "0.1200000000",
    ("ml.m5.large", "Hosting"): "0.1000000000",
    ("ml.m5.large", "Notebook"): "0.2000000000",
}
USAGE = {"Training": "Train", "Hosting": "Host", "Notebook": "Notebk"}
REGIONS = ("us-east-1", "eu-west-1")
asked: list[dict[str, Any]] = []  # the requests so far
refuses: list[str] = []  # the error code with which it refuses, if any


def products() -> list[dict[str, Any]]:
    """Every product; of each training instance also a fee that is paid once, which is no price of an hour."""
    found = []
    for region in REGIONS:
        for (instance, component), amount in PRICES.items():
            found.append(product(region, instance, component, f"{USAGE[component]}:{instance}", "Hrs", amount))
            if component == "Training":
                fee = f"TrainingPlanUpfrontFee:{instance}"
                found.append(product(region, instance, component, fee, "Quantity", "13.5700000000"))
    return found


def product(region: str, instance: str, component: str, usage: str, unit: str, amount: str) -> dict[str, Any]:
    sku = f"{abs(hash((region, usage))):X}"[:16]
    term, rate = f"{sku}.JRTCKXETXF", f"{sku}.JRTCKXETXF.6YS6EN2CT7"
    return {
        "product": {
            "productFamily": "ML Instance",
            "attributes": {
                "servicecode": "AmazonSageMaker",
                "instanceName": instance,
                "instanceType": f"{instance}-{component}",
                "component": component,
                "platoinstancetype": component,
                "regionCode": region,
                "locationType": "AWS Region",
                "operation": "RunInstance",
                "usagetype": f"{region}-{usage}",
            },
            "sku": sku,
        },
        "serviceCode": "AmazonSageMaker",
        "terms": {
            "OnDemand": {
                term: {
                    "priceDimensions": {
                        rate: {
                            "unit": unit,
                            "endRange": "Inf",
                            "beginRange": "0",
                            "description": f"${amount[:5]} for {usage}",
                            "appliesTo": [],
                            "rateCode": rate,
                            "pricePerUnit": {"USD": amount},
                        }
                    },
                    "sku": sku,
                    "offerTermCode": "JRTCKXETXF",
                    "termAttributes": {},
                }
            }
        },
        "version": "20251001000000",
        "publicationDate": "2025-10-01T00:00:00Z",
    }


class PriceList(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked.append(request)
        if refuses:
            self._answer(400, {"__type": refuses[0], "message": "User is not authorized."})
            return
        wanted = {wish["Field"]: wish["Value"] for wish in request.get("Filters", [])}
        found = [p for p in products() if wanted.items() <= p["product"]["attributes"].items()]
        self._answer(200, {"FormatVersion": "aws_v1", "PriceList": [json.dumps(p) for p in found]})

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def served() -> Iterator[str]:
    """The address of the price list."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), PriceList)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
