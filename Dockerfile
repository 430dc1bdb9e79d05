# The app. Behind a load balancer that ends TLS, with the AWS backend and PostgreSQL: infra/README.md.
#   docker build -t scones-unlimited .
#   docker run --rm -p 127.0.0.1:8501:8501 -v scones:/data -e SCONES_WITHOUT_SIGN_IN=true scones-unlimited
# Without sign-in the app does not start, unless the variable says that something else keeps strangers out; here it is the
# published port, which only this machine reaches.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

# First what changes rarely, so that a change of the app does not install everything again.
COPY requirements.txt .
RUN pip install --no-compile -r requirements.txt

COPY .streamlit/config.toml .streamlit/config.toml
COPY streamlit_app.py pyproject.toml ./
COPY pages pages
COPY lambdas lambdas
COPY infra infra
COPY scones_core scones_core

RUN useradd --create-home --uid 10001 scones && mkdir /data && chown scones /data
USER scones
ENV SCONES_HOME=/data
VOLUME /data
EXPOSE 8501

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]

# Within the container the app listens to all of its interfaces; which of them are reachable, the container's host says.
# The name under which browsers reach it belongs into STREAMLIT_SERVER_ALLOWED_HOSTS.
CMD ["streamlit", "run", "streamlit_app.py", "--server.address=0.0.0.0", "--server.port=8501"]
