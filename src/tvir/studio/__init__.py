"""The web studio: a person and a trained model create together."""

from tvir.contracts.third_party import need

need("fastapi", "starlette", "uvicorn", "websockets", "sqlalchemy")
