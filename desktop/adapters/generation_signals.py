"""GenerationSignals: the callbacks of `Generation` as Qt signals, which reach the window on its own thread."""

from PySide6.QtCore import QObject, Signal

from core.logs import sentence_for
from core.performance.generation import Generation, GenerationEvents
from desktop.adapters.gc_pause import gc_frozen


class GenerationSignals(QObject):
    """Makes a `generation`; its callbacks emit the signals here."""

    model_ready = Signal(object)  # ModelFacts
    models_found = Signal(object)  # list of (name, words, licence)
    preparing = Signal(object)  # PromptRequest
    prepared = Signal(object, str, str)  # PromptRequest, the names of its key and its grid or ""
    failed = Signal(str)  # the model or prompt wanted cannot be had: a sentence
    ended = Signal(object)  # Run
    filled = Signal(object)  # FillRun
    message = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.generation = Generation(
            GenerationEvents(
                model_ready=self.model_ready.emit,
                models_found=self.models_found.emit,
                preparing=self.preparing.emit,
                prepared=self.prepared.emit,
                ended=self.ended.emit,
                filled=self.filled.emit,
                message=self.message.emit,
                failed=lambda error, doing: self.failed.emit(sentence_for(error, doing)),
                unlisted=lambda error, doing: self.message.emit(sentence_for(error, doing)),
            ),
            frozen=gc_frozen,
        )
