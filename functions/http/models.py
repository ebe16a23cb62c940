"""What models of several functions have in common. Imported with them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]
StandardError = Annotated[int, Field(ge=0, description="One standard error, rounded up; 0 means exact")]


class Strict(BaseModel):
    """What is not named here is no part of it."""

    model_config = ConfigDict(extra="forbid")
