"""Commercial machine translation: one file per service, on bench.endpoints.

Each file names the pages of the vendor's documentation that it follows. `service.py` has what all services share.
"""
