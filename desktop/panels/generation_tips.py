"""What the generation panel says of its fields, where the pointer rests on them, and what can be chosen in them."""

# Words for the user -> value of the setting.
INTO = {"The prompt's tracks": "auto", "A track of its own": "one"}
REST_CHOICES = {
    "Returns after it": "stretch",
    "Is left out": "rest",
    "Plays beside it": "beside",
}
DRUMS = {"Go on": "repeat", "As in the file": "off"}
ENDINGS = {"At its length": False, "When the music ends": True}
DYNAMICS_CHOICES = {"As in the prompt": "auto", "Flat": "flat", "With a human touch": "human"}

TIPS = {
    "model": "Which model continues. Models differ in the music they have learned from.",
    "length": "How much is added. You can stop at any time and keep what is there.",
    "unit": "Count the length in seconds or in bars; or take the usual length: bars where the music has them.",
    "takes": "How many different continuations are made at once, to choose from.",
    "into": "Which tracks play the take. On the prompt's tracks each note goes to the one that it belongs to, with its "
    "sound: the bass stays the bass. Into one track alone, that track is the prompt, too.",
    "rest": "What becomes of what those tracks play behind the marker. It comes back where the take ends; or nothing "
    "of it is left; or all of it plays on, and the take beside it. Other tracks and drums always play on.",
    "drums": "Whether drums that stop go on with the pattern of their last bars, as notes of the take.",
    "seed": "The number a continuation grows from: the same seed with the same settings plays the same notes.",
    "dice": "Throw the dice for another seed.",
    "lock": "Keep this seed. If it is not locked, every continuation gets a new one.",
    "temperature": "How daring the playing is. 1 is as the model has learned; less keeps to what is "
    "expected, more takes risks.",
    "top_p": "How many of the unlikely notes are left out. 1 leaves none out; 0.9 and less plays safe.",
    "scale": "Keep the playing to the notes of a key: the one the prompt is in, or one you choose. Minor keys "
    "include the raised seventh.",
    "key_strength": "How strongly the playing leans to the key that the prompt is in. 0 does not lean at all: the "
    "model decides alone. Unlike the scale lock it still lets notes from outside through.",
    "low": "The lowest note that may be played, such as C2 (middle C is C4).",
    "high": "The highest note that may be played, such as C6 (middle C is C4).",
    "grid": "Where notes may begin. Auto keeps a quantised prompt on its own grid and lets a played one breathe; "
    "or choose the finest note value yourself. T means triplets.",
    "dynamics": "How loud the notes are. A prompt in which all notes are equally loud goes on so, or with gentle "
    "accents as a player gives them. Flat makes every note equally loud.",
    "feel": "How takes are to differ from the prompt. Turned while a take plays, it is heard after the "
    "seconds that are sampled already.",
    "more": "How the model chooses its notes.",
    "ends": "Whether a take always has its length, or may end before, at the bar line behind the last note, where the "
    "model lets the piece end.",
    "reset": "Set everything but the model back to how it was at first.",
}
