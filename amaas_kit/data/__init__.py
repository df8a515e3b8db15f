"""The room of data: digits that travel with the kit, generated events, tables of your own."""

from amaas_kit.data.bitmap import image_of_bitmap, image_of_strokes
from amaas_kit.data.dataset import Dataset
from amaas_kit.data.digits import SHEET_STARTS, load_digits, read_digits
from amaas_kit.data.events import load_events, write_events
from amaas_kit.data.mnist import load_fashion_mnist, load_mnist
from amaas_kit.data.split import Split
from amaas_kit.data.targets import class_numbers

__all__ = [
    "SHEET_STARTS",
    "Dataset",
    "Split",
    "class_numbers",
    "image_of_bitmap",
    "image_of_strokes",
    "load_digits",
    "load_events",
    "load_fashion_mnist",
    "load_mnist",
    "read_digits",
    "write_events",
]
