"""The frame around every page, and the parts that several pages share."""
