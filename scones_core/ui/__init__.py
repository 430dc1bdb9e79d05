"""What pages share: the app they talk to, charts and widgets."""
