"""The words of the trade, a sentence each, for somebody who takes pictures: `safelight explain words`, and `?` then `w`."""

from typing import Final

TERMS: Final[dict[str, str]] = {
    "adapter": "What a training makes: a small file that changes how the base draws. LoRA is its kind.",
    "alpha / rank": "How strongly the adapter acts: at alpha = rank with all it learned, at half of that with half.",
    "base": "The image model that is there already and stays as it is; the adapter is made for it.",
    "batch": "How many pictures one step looks at before anything is changed.",
    "bucket": "A size and shape that pictures are scaled and cropped to, so that similar ones are trained together.",
    "checkpoint": "The adapter as it was after a step, saved: a run goes on from it, and it can be exported.",
    "class word": "The general word for the subject, such as woman or mug.",
    "coverage": "The record of which picture was trained in which step.",
    "epoch": "Once through all pictures that are trained, each as often as its folder's repeats say.",
    "evaluated": "The loss measured on fixed pictures and noise, so that two measurements can be compared.",
    "gradient": "How much a step would change the adapter; one that explodes or stays 0 is a bad sign.",
    "guidance": "How closely a picture keeps to its prompt; too much makes hard, burnt pictures.",
    "held out": "Pictures that are never trained, only measured: if the loss falls on trained ones and rises on these, "
    "the model copies instead of learning.",
    "isolation": "A test with prompts that do not say the trigger: they should look as without the adapter.",
    "kohya": "The layout of adapter files that A1111, Forge and sd-scripts read, named after the author of sd-scripts.",
    "latent": "A picture as the model sees it: smaller, and made once by the base's VAE.",
    "layers": "Parts of the model that the adapter changes; healthy means that each of them learns.",
    "learning rate": "How far one step changes the adapter; 9.4e-07 is 0.00000094. Too high copies, too low learns little.",
    "loss": "How wrong the model's guess of the noise was: lower is better. One step's jumps, only means tell something.",
    "negative prompt": "What a picture should not show.",
    "p": "How probable a result is by chance alone: 6e-08 is 6 in 100 million, 0.05 is 1 in 20.",
    "preset": "A set of numbers for one kind of base, each with its reason: safelight explain KEY.",
    "preview": "Pictures drawn during the training, always from the same prompts and seeds.",
    "regularization": "Pictures of other things of the class, trained along so that the class word keeps its meaning.",
    "repeats": "How often each picture of a folder comes up in an epoch.",
    "sampler": "The method by which a picture is drawn out of noise.",
    "schedule": "How the learning rate changes over the run, for example down to 0 along a cosine.",
    "seed": "The number that all chance comes from: the same seed gives the same again.",
    "step": "One change of the adapter, after a look at a batch of pictures.",
    "subject": "What is learned: a person, a thing or a look, and its pictures.",
    "trigger": "The invented word that calls what was learned when it stands in a prompt.",
    "weight": "How much of the adapter is used when a picture is drawn: 0 is the base alone, 1 all of it.",
    "weight sweep": "The same prompt and seed at several weights, side by side, to choose one.",
}
WIDTH: Final = 16
"""Cells of the longest word, and one more."""


def find(said: str) -> dict[str, str]:
    """The words that `said` means: all for "words", one for its name; none where it is not among them."""
    name = " ".join(said.casefold().replace("-", " ").replace("_", " ").split())
    return TERMS if name == "words" else {word: text for word, text in TERMS.items() if name in _names(word)}


def _names(word: str) -> tuple[str, ...]:
    return (word, *(part.strip() for part in word.split("/") if "/" in word))
