"""Makes english.txt: the English words that are known, those of SCOWL and of anchors.txt; again whenever that changes.

python resources/words/make_english.py /usr/share/dict     (Debian's wamerican-large and wbritish-large, 2020.12.07-2)

Without a folder the words stay that there are, and those of anchors.txt are added.
"""

import re
import sys
from pathlib import Path

from core.words.understanding import read_anchors

if __name__ == "__main__":
    here = Path(__file__).parent
    lists = [Path(sys.argv[1], f"{of}-english-large") for of in ("american", "british")] if sys.argv[1:] else []
    words = {word for path in lists or [here / "english.txt"] for word in path.read_text("utf-8").split()}
    words |= {word for phrase, _ in read_anchors(here / "anchors.txt") for word in re.findall(r"[a-z]+", phrase)}
    words = {word.lower() for word in words if re.fullmatch(r"[^\W\d_]{2,}", word)}
    (here / "english.txt").write_text("\n".join(sorted(words)) + "\n", "utf-8")
