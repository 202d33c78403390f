"""What the image data sets share: parameters, errors, and fetching published files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from pydantic import Field

from normlaw_registry import InputError, Params

Mean = Annotated[float, Field(ge=0, le=1)]
"""Of pixels x / 255."""
Deviation = Annotated[float, Field(gt=0)]
"""Of pixels x / 255."""


class GreyParams(Params):
    """Parameters of a data set of grey images: uint8 pixels x become (x / 255 - mean) / std."""

    mean: tuple[Mean] = Field(default=(0.1307,), description="subtracted from pixels in [0, 1]")
    std: tuple[Deviation] = Field(default=(0.3081,), description="divides after `mean` is subtracted")


class ColourParams(Params):
    """Parameters of a data set of colour images: uint8 pixels x become (x / 255 - mean) / std by channel."""

    mean: tuple[Mean, Mean, Mean] = Field(
        default=(0.4914, 0.4822, 0.4465), description="subtracted from pixels in [0, 1]"
    )
    std: tuple[Deviation, Deviation, Deviation] = Field(
        default=(0.2023, 0.1994, 0.2010), description="divides after `mean` is subtracted"
    )


def fetch(folder: Path, place: str, source: str, action: Callable[[Path], None], advice: str) -> None:
    """Have `action` write files under a temporary folder, then move those below `place` to `folder / place`.

    Each file arrives whole or not at all, also when several processes fetch at once.

    Args:
        folder: made if it is not there.
        place: relative folder that `action` fills.
        source: where the files come from, for the message.
        action: is given the temporary folder.
        advice: what to do by hand; ends the message.

    Raises:
        InputError: `action` failed with an OSError or a RuntimeError, as torchvision's downloads do.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix="fetching-") as temporary:
            action(Path(temporary))
            (folder / place).mkdir(parents=True, exist_ok=True)
            for file in sorted((Path(temporary) / place).iterdir()):
                os.replace(file, folder / place / file.name)
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"could not fetch {source}: {reason}\n{advice}") from error


def missing_files(name: str, missing: Iterable[Path], advice: str) -> InputError:
    """Return the error that lists what was looked for and says where to put it."""
    files = "\n".join(f"  - {path}" for path in missing)
    return InputError(f"dataset {name!r}: these files are missing:\n{files}\n{advice}")


def damaged(path: Path, reason: object) -> InputError:
    """Return the error for a file that is there but is not what it should be."""
    return InputError(f"{path} is damaged or of another format ({reason}): replace it by the published file")
