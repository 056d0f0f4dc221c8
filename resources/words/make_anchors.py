"""Makes anchors.safetensors from anchors.txt: to be run again whenever that is changed.

python resources/words/make_anchors.py
"""

import hashlib
from pathlib import Path

from safetensors.numpy import save_file

from core.words.encoder import bundled_encoder
from core.words.understanding import learn

if __name__ == "__main__":
    anchors = Path(__file__).with_name("anchors.txt")
    about = {"anchors": hashlib.sha256(anchors.read_bytes()).hexdigest()}
    save_file(learn(bundled_encoder(), anchors), anchors.with_suffix(".safetensors"), about)
