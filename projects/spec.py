"""What a project says and what a run is given: closed, typed, every key documented once, here.

`project.toml` is a table of these keys with most of them left out; `spec.toml` of a run is the same table with every
value resolved (`[job]` in front). The text under a field is what `safelight explain KEY` prints. Bounds stand in the
type; what a bound is for stands in the text. Reading and writing TOML is `table.py`, presets are `presets/*.toml`.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

FORMAT = 1


@dataclass(frozen=True)
class Bounds:
    """The closed interval a number must lie in; for text, its length; for a list, each of its numbers."""

    low: float
    high: float


@dataclass(frozen=True)
class OneOrMany:
    """Marks a list for which a single value may be written: 1024 means [1024]."""


Role = Literal["subject", "regularization", "holdout"]
Rating = Literal["general", "mature"]
Sampler = Literal["dpm++ 2m karras", "euler a", "euler", "ddim", "unipc"]
Quantize = Literal["none", "int8", "nf4"]


@dataclass(frozen=True, kw_only=True)
class Base:
    """[base]: the model that is fine-tuned and never changed."""

    source: str = ""
    """The base model: a hub id (stabilityai/stable-diffusion-xl-base-1.0), a folder in diffusers layout, one .safetensors
    file, or "demo" for the little model that comes with Safelight. Relative paths are relative to the project."""
    family: Literal["", "sdxl", "sd15", "flux"] = ""
    """The kind of model. Read from the base itself when left out; say it for a hub id that is not on this machine yet,
    or to be held to it."""
    revision: str = ""
    """Branch, tag or commit of a hub id. Empty: the hub's main."""
    clip_skip: Annotated[int, Bounds(1, 12)] | None = None
    """Which layer of CLIP is read, counted as A1111 does (1 = the last, 2 = the last but one). SDXL always reads 2 and
    refuses others; FLUX reads none and refuses any."""
    companion: str = ""
    """Where text encoders and VAE come from when the base is one file without them (FLUX): a hub id or a folder in
    diffusers layout. Left out: the family's own hub id."""


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """[[data.sets]]: one folder of pictures and what it is for. The long form of data.images and its neighbours."""

    path: str
    """Folder of pictures, relative to the project, or absolute."""
    role: Role = "subject"
    """subject: what is learned. regularization: the general category, kept as it is. holdout: never trained, only
    measured."""
    repeats: Annotated[int, Bounds(1, 1000)] = 1
    """How often each picture of this set comes up in one epoch. 1 = once (unlike tools that count from 0)."""
    weight: Annotated[float, Bounds(0.0, 10.0)] = 1.0
    """Factor on the loss of this set's pictures."""
    trigger: str = ""
    """Trigger word of this set, where it differs from the project's."""
    class_word: str = ""
    """General category of this set, where it differs from the project's."""
    control: str = ""
    """Folder of control pictures for edit models. No family here uses it yet, so it must be empty."""
    mask: str = ""
    """Folder of masks for the loss. Not there yet, so it must be empty."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """[data]: the pictures. They are read and never modified."""

    images: str = ""
    """Folder with the pictures of the subject or style. Sub-folders are read too."""
    regularization: str = ""
    """Folder with pictures of the general category, 10 to 15 % of all; seen as often as a subject picture each."""
    holdout: str = ""
    """Folder with pictures that are never trained; the evaluation loss on them shows memorization."""
    caption_extension: Annotated[str, Bounds(1, 16)] = "txt"
    """IMG_1.jpg has its caption in IMG_1.txt: the whole file, one caption. Variants are IMG_1.2.txt, IMG_1.3.txt."""
    flip: bool = False
    """Mirror pictures at random. Off unless asked: faces, text and window light are not symmetric."""
    background: str = "#ffffff"
    """Colour that transparent pictures are laid on, #rrggbb."""
    excluded: dict[str, str] = field(default_factory=dict)
    """Pictures left out, each with the reason: "set/IMG_0012.jpg" = "blurred"."""
    crop: dict[str, Annotated[tuple[float, float], Bounds(0.0, 1.0)]] = field(default_factory=dict)
    """The point of a picture that its crop keeps, as shares of width and height: "IMG_0031.jpg" = [0.5, 0.2]."""
    sets: tuple[DataSet, ...] = ()
    """The long form: any number of [[data.sets]]. Together with images, regularization or holdout it is an error."""


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """[adapter]: the small model that is trained on top of the base."""

    kind: Literal["lora"] = "lora"
    """Low-rank adaptation."""
    rank: Annotated[int, Bounds(1, 1024)] = 32
    """How much the adapter can hold: 32 or 64 for skin and faces, 16 for FLUX. File size and memory grow with it."""
    alpha: Annotated[float, Bounds(0.001, 4096)] | None = None
    """The adapter acts with alpha / rank. Left out: equal to rank, scale 1. Tools that default to 1 train 1/rank
    as strongly."""
    targets: Literal["attention", "attention+mlp"] | tuple[str, ...] = "attention"
    """Which layers learn: a named choice of the family, or patterns of module names ("*.attn2.to_k")."""
    dropout: Annotated[float, Bounds(0.0, 0.9)] = 0.0
    """Share of the adapter's inputs zeroed at random in training. 0 is usual."""
    text_encoder: bool = False
    """Train the adapter on the text encoder too: the trigger takes sooner, other words change with it. Its layers follow
    targets ("text_encoder.*.fc1" as a pattern), with the same rank and alpha. Captions are then encoded in every step.
    SDXL and FLUX keep theirs frozen and refuse it."""


@dataclass(frozen=True, kw_only=True)
class Train:
    """[train]: how long, how fast, in which numbers."""

    preset: str = ""
    """A file of presets/ whose values stand wherever the project says nothing. Left out: the one that fits the base."""
    seed: Annotated[int, Bounds(0, 2**63 - 1)] = 0
    """Every draw of the run (order, crops, noise, timesteps, dropout, start of the adapter) follows from it."""
    steps: Annotated[int, Bounds(1, 1_000_000)] | None = None
    """Optimizer steps. Left out, with epochs left out: max(1500, 30 x subject pictures), counted at batch 1."""
    epochs: Annotated[int, Bounds(1, 100_000)] | None = None
    """Another way to say steps: how often every picture is seen. Together with steps it is an error."""
    batch: Annotated[int, Bounds(1, 512)] = 1
    """Pictures that pass through the model at once. Larger is faster, not better."""
    accumulate: Annotated[int, Bounds(1, 1024)] = 1
    """Batches summed before one optimizer step. batch 2 x accumulate 2 trains what batch 4 trains, in less memory."""
    learning_rate: Annotated[float, Bounds(1e-8, 1.0)] = 1e-4
    """How far one step moves the adapter. Too high echoes training pictures; too low does not converge. Each optimizer
    wants its own."""
    text_encoder_learning_rate: Annotated[float, Bounds(1e-8, 1.0)] | None = None
    """Learning rate of the text encoder's layers, where adapter.text_encoder is on. Left out: half of learning_rate, as is
    usual: words are learned faster than pictures. prodigy has one rate for all, and takes no other."""
    optimizer: Literal["adamw", "adamw_8bit", "prodigy", "adafactor", "adamw_schedulefree"] = "adamw"
    """Each with a learning_rate of its own: adamw, adamw_8bit and adafactor 1e-4, prodigy 1.0, adamw_schedulefree 1e-4 to
    2.5e-3 and schedule = "constant". adamw: betas 0.9 and 0.999. adamw_8bit: the same with averages in 8 bits, a quarter
    of their memory (extra bnb). adafactor: hardly any memory of its own; takes the rate as said, no relative step.
    prodigy: finds the rate itself in the first hundred steps or so, learning_rate is a factor on it (extra optimizers).
    adamw_schedulefree: averages the weights in place of a falling rate (extra optimizers)."""
    weight_decay: Annotated[float, Bounds(0.0, 1.0)] = 0.01
    """Pull of the weights towards zero, apart from the gradient."""
    max_grad_norm: Annotated[float, Bounds(0.0, 1000.0)] = 1.0
    """Gradients longer than this are shortened to it. 0: not at all."""
    schedule: Literal["constant", "linear", "cosine", "cosine_restarts"] = "constant"
    """Shape of the learning rate after the warm-up. Schedule-free optimizers want constant."""
    restarts: Annotated[int, Bounds(1, 100)] = 3
    """How many cosines the run is cut into, for schedule = "cosine_restarts"."""
    warmup: Annotated[float, Bounds(0.0, 0.9)] = 0.05
    """Share of the steps in which the learning rate rises from 0."""
    resolution: Annotated[tuple[int, ...], Bounds(16, 4096), OneOrMany()] = (1024,)
    """Side of the square whose area every bucket has, in pixels. Several: each draw of a picture takes one of them."""
    precision: Literal["fp32", "bf16", "fp16"] = "bf16"
    """Numbers of the frozen base. Adapter and VAE are always fp32; a CPU computes in fp32 whatever stands here, and says
    so. bf16 needs a card from Ampere on (compute capability 8.0); fp16 is for older ones, with the loss scaled."""
    quantize: Quantize = "none"
    """Fewer bits for the frozen base's blocks: int8 halves bf16, nf4 quarters it. It saves memory, not time, and the
    adapter learns on a coarser base than it is used on: only where memory asks for it. Takes the extra bnb."""
    gradient_checkpointing: bool = True
    """Recompute activations in the backward pass: far less memory, about a quarter slower."""
    channels_last: bool = False
    """Keep the U-Net's tensors channels last, as a card's convolutions read them: usually faster, with other rounding. On a
    CPU it does nothing; transformers have no convolutions and refuse it."""
    caption_dropout: Annotated[float, Bounds(0.0, 1.0)] = 0.05
    """Share of draws trained without caption, on what sampling uses for an empty negative prompt."""
    timestep_sampling: Literal["uniform", "logit_normal"] = "uniform"
    """How often each noise level is trained, for bases that predict a flow. logit_normal: mostly the middle; other tools
    call it sigmoid."""
    timestep_shift: Literal["none", "resolution"] = "none"
    """resolution: larger pictures train more at the noisy end, as the base draws them (flux_shift in other tools). For
    bases that predict a flow."""
    min_snr_gamma: Annotated[float, Bounds(0.0, 100.0)] = 5.0
    """Weight of easy timesteps is capped at this signal-to-noise ratio (arXiv 2303.09556). 0: off."""
    prior_weight: Annotated[float, Bounds(0.0, 10.0)] = 1.0
    """Factor on the loss of regularization pictures."""
    checkpoint_every: Annotated[int, Bounds(1, 1_000_000)] = 250
    """Steps between checkpoints. The last step is always saved."""
    evaluate_every: Annotated[int, Bounds(0, 1_000_000)] = 250
    """Steps between evaluations on a fixed grid of picture, noise and timestep. 0: never."""
    keep: Annotated[int, Bounds(1, 100_000)] = 4
    """How many of the newest checkpoints stay."""
    processes: Annotated[int, Bounds(1, 64)] = 1
    """Processes that train together on this machine, each with a GPU of its own, or with its part of the CPU's cores. A
    step takes batch x accumulate pictures of each, so that fewer steps see as many."""
    stop_when: Literal["", "settled"] = ""
    """settled: end before `steps` where three evaluations in a row brought held-out pictures nothing, and the previews came
    no nearer to the subject: never by the loss alone. Needs held-out pictures, evaluate_every and sample.every, four
    previews that say the trigger, and a run that starts from the base."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """[sample]: the pictures made while training and in the review."""

    prompts: tuple[str, ...] = ()
    """What is drawn. Left out: the captions of the first three subject pictures."""
    negative: str = ""
    """Negative prompt, the same for all."""
    guidance: Annotated[float, Bounds(0.0, 50.0)] = 7.0
    """Classifier-free guidance. 6 to 8 for SDXL and SD 1.5, 1 to 2 for turbo bases; FLUX is told it as a number, 3.5."""
    true_guidance: Annotated[float, Bounds(1.0, 50.0)] = 1.0
    """For bases with distilled guidance (FLUX): classifier-free guidance on top, which makes the negative prompt act and
    takes twice the time. 1: off."""
    steps: Annotated[int, Bounds(1, 1000)] = 30
    """Denoising steps. 25 to 35, turbo 4 to 8."""
    sampler: Sampler = "dpm++ 2m karras"
    """By the name people know."""
    seeds: Annotated[tuple[int, ...], Bounds(0, 2**63 - 1)] = (1,)
    """Each prompt is drawn with each of them."""
    size: Annotated[tuple[int, int], Bounds(16, 8192)] | None = None
    """Width and height in pixels. Left out: the base's native size."""
    weight: Annotated[float, Bounds(-4.0, 4.0)] | None = None
    """Weight of the adapter in previews, and of the review's before and after. Left out: 1, in the review 0.7."""
    every: Annotated[int, Bounds(0, 1_000_000)] = 250
    """Steps between previews. 0: never."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """[audit]: what a person says of the pictures, where no program can know better."""

    ignored: dict[str, str] = field(default_factory=dict)
    """Findings that are notes only, each with the reason: a check ("burst"), or one picture's ("soft: IMG_1.jpg")."""
    distance: dict[str, Literal["close-up", "medium", "full body", "other"]] = field(default_factory=dict)
    """How near the camera is, by picture: "IMG_0031.jpg" = "close-up"."""
    light: dict[str, str] = field(default_factory=dict)
    """The light, in your own words, by picture: "IMG_0031.jpg" = "window"."""
    wardrobe: dict[str, str] = field(default_factory=dict)
    """Clothes or styling, in your own words, by picture: "IMG_0031.jpg" = "red coat"."""


@dataclass(frozen=True, kw_only=True)
class Captions:
    """[captions]: the words beside the pictures."""

    phrases: tuple[str, ...] = ()
    """Phrases the editor offers by number."""
    ignored: dict[str, str] = field(default_factory=dict)
    """Findings that are notes only, each with the reason: a check ("style"), what one is about ("ubiquitous: film grain"),
    or one picture's ("too-long: IMG_1.jpg")."""
    shuffle: bool = False
    """Train comma-separated parts in changing order. Off: text is trained as it was written."""
    keep_first: Annotated[int, Bounds(0, 75)] = 1
    """How many parts stay in front when the rest is shuffled (the trigger)."""


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """The whole table. A project holds it with gaps; a run holds it without."""

    format: Annotated[int, Bounds(1, FORMAT)] = FORMAT
    """Version of this table. A newer one than this Safelight knows opens read-only."""
    name: str = ""
    """Name of the project; the exported file carries it."""
    trigger: str = ""
    """The invented word that calls the subject or style. A real word leaks: the adapter fires when nobody asked."""
    class_word: str = ""
    """The general category of the subject: woman, mug, watercolour."""
    rating: Rating = "general"
    """general, or mature: wording that points at a minor is refused then, and nothing trains, samples, reviews or exports
    before every picture has papers, which this version cannot check: such a project stays closed."""
    base: Base = field(default_factory=Base)
    data: Data = field(default_factory=Data)
    adapter: Adapter = field(default_factory=Adapter)
    train: Train = field(default_factory=Train)
    sample: Sample = field(default_factory=Sample)
    captions: Captions = field(default_factory=Captions)
    audit: Audit = field(default_factory=Audit)


# ---- jobs: `[job]` and what one kind of work is given. One frozen dataclass a kind; `kind` says which.


@dataclass(frozen=True, kw_only=True)
class TrainJob:
    """A training: the run itself."""

    kind: Literal["train"] = "train"
    project: str
    """Absolute path of the project folder."""
    after: str = ""
    """Absolute path of a job that must be done first; its failure is this job's failure."""
    start_from: str = ""
    """Absolute path of an adapter file to continue from (`train --from`). Empty: a new adapter."""
    missing_caption: Literal["refuse", "trigger"] = "refuse"
    """A picture without caption stops the run with the list, or is trained on the trigger and class word alone."""
    spec: RunSpec


@dataclass(frozen=True, kw_only=True)
class AdapterAt:
    """One adapter file and the weight it acts with."""

    file: str
    """Absolute path of a .safetensors file."""
    weight: Annotated[float, Bounds(-4.0, 4.0)] = 1.0
    """Factor on the adapter's effect."""


@dataclass(frozen=True, kw_only=True)
class SampleJob:
    """Pictures from prompts."""

    kind: Literal["sample"] = "sample"
    project: str
    """Absolute path of the project folder."""
    run: str = ""
    """Absolute path of the run whose adapter is used. Empty: the base alone."""
    checkpoint: Annotated[int, Bounds(0, 1_000_000)] | None = None
    """Step of the run's checkpoint. Left out: the newest."""
    after: str = ""
    """Absolute path of a job that must be done first."""
    adapters: tuple[AdapterAt, ...] = ()
    """Further adapter files, each with its weight."""
    spec: RunSpec
    """Base, trigger and rating, and `sample` with what is to be drawn."""


@dataclass(frozen=True, kw_only=True)
class ReviewJob:
    """What a run learned: drawn, measured and judged."""

    kind: Literal["review"] = "review"
    project: str
    """Absolute path of the project folder."""
    run: str
    """Absolute path of the run."""
    checkpoint: Annotated[int, Bounds(0, 1_000_000)] | None = None
    """Step of the checkpoint. Left out: the newest."""
    after: str = ""
    """Absolute path of a job that must be done first."""
    weights: Annotated[tuple[float, ...], Bounds(-4.0, 4.0)] = (0.5, 0.7, 0.85, 1.0)
    """Weights of the sweep; the base stands beside them."""
    depth: Literal["coarse", "refined"] = "coarse"
    """coarse: all weights over a few checkpoints. refined: the two best of them again, with more prompts and seeds."""
    judge: str = ""
    """Model that measures likeness, and how prompts are kept where it reads texts: a folder or a hub id of SigLIP, CLIP or
    DINOv2. Left out: the base itself."""
    spec: RunSpec


AxisName = Literal[
    "weight",
    "checkpoint",
    "adapter",
    "base",
    "prompt",
    "negative",
    "guidance",
    "steps",
    "sampler",
    "seed",
]


@dataclass(frozen=True, kw_only=True)
class GridAxis:
    """One axis of a grid: what changes along it."""

    name: AxisName
    """weight, checkpoint: of the run's adapter. adapter: what acts, "base" for nothing. base: the model itself. The others
    are those of [sample]."""
    values: tuple[str, ...]
    """As they were written. adapter: members joined by +, each "run" or the absolute path of a file, with :WEIGHT behind it
    or without. base: as base.source says one. What has no weight acts with that of the weight axis, else of sample.weight,
    else 1."""


@dataclass(frozen=True, kw_only=True)
class GridJob:
    """The same prompts and seeds along up to three axes, on sheets."""

    kind: Literal["grid"] = "grid"
    project: str
    """Absolute path of the project folder."""
    run: str = ""
    """Absolute path of the run whose adapter is used. Empty: the base alone."""
    checkpoint: Annotated[int, Bounds(0, 1_000_000)] | None = None
    """Step of the run's checkpoint. Left out: the newest."""
    after: str = ""
    """Absolute path of a job that must be done first."""
    axes: tuple[GridAxis, ...]
    """Columns, rows, sheets, in this order; one at least."""
    said: tuple[str, ...] = ()
    """Keys of [sample] that were said for the grid: along an axis of bases they hold for each, where a base's own preset
    speaks otherwise."""
    spec: RunSpec
    """Base, trigger and rating, and `sample` with what is to be drawn."""


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """The files to use elsewhere, each read back and compared."""

    kind: Literal["export"] = "export"
    project: str
    """Absolute path of the project folder."""
    run: str
    """Absolute path of the run."""
    checkpoint: Annotated[int, Bounds(0, 1_000_000)] | None = None
    """Step of the checkpoint. Left out: the newest."""
    after: str = ""
    """Absolute path of a job that must be done first."""
    formats: tuple[Literal["kohya", "diffusers", "comfyui"], ...] = ("kohya", "diffusers")
    """kohya is what A1111 and sd-scripts read; comfyui is written as ComfyUI reads it; diffusers as peft and
    diffusers do."""
    dtype: Literal["fp32", "fp16", "bf16"] = "fp32"
    """Numbers in the file. Half precision is smaller; the measured difference is stated."""
    spec: RunSpec


@dataclass(frozen=True, kw_only=True)
class ProofJob:
    """The demo's paired sign test: the same seeds with and without the trigger, scored for the subject."""

    kind: Literal["proof"] = "proof"
    project: str
    """Absolute path of the project folder."""
    run: str
    """Absolute path of the run."""
    after: str = ""
    """Absolute path of a job that must be done first."""
    pairs: Annotated[int, Bounds(4, 1000)] = 24
    """How many pairs are drawn."""
    spec: RunSpec


@dataclass(frozen=True, kw_only=True)
class MeasureJob:
    """A few real steps of a run, for its time and memory (`plan --measure`). Nothing is trained that stays."""

    kind: Literal["measure"] = "measure"
    project: str
    """Absolute path of the project folder."""
    after: str = ""
    """Absolute path of a job that must be done first."""
    steps: Annotated[int, Bounds(2, 1000)] = 20
    """How many steps are timed, after a warm-up."""
    missing_caption: Literal["refuse", "trigger"] = "refuse"
    """As for a training."""
    spec: RunSpec


FillMethod = Literal["", "blip2", "wd-tagger", "image-text-to-text"]


@dataclass(frozen=True, kw_only=True)
class FillJob:
    """Captions drafted by a model: `safelight captions DIR fill`. A person finishes them."""

    kind: Literal["fill"] = "fill"
    project: str
    """Absolute path of the project folder."""
    after: str = ""
    """Absolute path of a job that must be done first."""
    model: str
    """The model that looks at the pictures: a hub id, or a folder as the hub holds it, relative to the project. Weights are
    safetensors (a WD Tagger's: model.onnx, with selected_tags.csv); a model that brings code of its own is refused."""
    revision: str = ""
    """Branch, tag or commit of a hub id. Empty: the hub's main."""
    method: FillMethod = ""
    """How the model is asked. Read from its files when left out. blip2: a sentence, with or without a beginning to go on
    from. wd-tagger: tags with scores (extra tagger). image-text-to-text: whatever answers a prompt about a picture
    (Florence-2, JoyCaption, Qwen-VL)."""
    prompt: Annotated[str, Bounds(0, 10_000)] = ""
    """What the model is asked. Left out: BLIP-2 describes freely, Florence-2 gets <MORE_DETAILED_CAPTION>, others are asked
    to describe the photograph in one paragraph. A WD Tagger reads none."""
    pictures: tuple[str, ...] = ()
    """Names of the pictures to draft for. Empty: all."""
    over: bool = False
    """Draft also where a person wrote: the template says what becomes of their words. Off: what a person wrote is left
    alone."""
    again: bool = False
    """Draft also where an earlier draft stands that nobody has looked at; it is replaced."""
    template: Annotated[str, Bounds(0, 1000)] = ""
    """The caption, with {trigger}, {class}, {caption} (what a person wrote, only with over) and {draft}; what is empty goes
    with its comma. Left out: "{trigger}, {draft}", with over "{trigger}, {caption}, {draft}". The trigger is left out where
    the person's words hold it."""
    general_threshold: Annotated[float, Bounds(0.0, 1.0)] = 0.35
    """Score above which a WD Tagger's general tag is taken. Lower: more tags, more wrong ones."""
    character_threshold: Annotated[float, Bounds(0.0, 1.0)] = 0.85
    """The same for names of characters, which are wrong sooner; 1 takes none. Ratings are never taken."""
    order: Literal["score", "name"] = "score"
    """Order of a WD Tagger's tags: the surest first, or by name."""
    underscores: bool = False
    """Keep the tagger's underscores (long_hair). Off: blanks in their place, as people write; faces such as ^_^ stay."""
    escape: bool = False
    """Write the parentheses of tags with backslashes, as prompts of A1111 want them. Captions are trained to the letter, so
    it is off."""
    blacklist: tuple[str, ...] = ()
    """What never appears: tags of these names; in sentences these words, wherever they stand whole."""
    device: Literal["auto", "cpu"] = "auto"
    """auto: an NVIDIA device where there is one. cpu: the processor, slow and with the machine's whole memory."""
    precision: Literal["fp32", "bf16", "fp16"] = "bf16"
    """Numbers of the model on an NVIDIA device; a processor computes in fp32. A WD Tagger has its own."""
    batch: Annotated[int, Bounds(1, 64)] = 1
    """Pictures at once. What does not fit into memory is halved."""
    max_new_tokens: Annotated[int, Bounds(1, 4096)] = 300
    """Length at which a description is cut, in the model's tokens."""
    temperature: Annotated[float, Bounds(0.0, 2.0)] = 0.0
    """0: always the likeliest word, the same draft each time. Above: drawn, from the seed; JoyCaption is made for 0.6."""
    top_p: Annotated[float, Bounds(0.01, 1.0)] = 0.9
    """Where words are drawn: only from the likeliest that make up this share."""
    seed: Annotated[int, Bounds(0, 2**63 - 1)] = 0
    """What is drawn follows from it and the picture's name."""
    spec: RunSpec
    """Data, trigger and rating."""


JobSpec = TrainJob | SampleJob | ReviewJob | GridJob | ExportJob | ProofJob | MeasureJob | FillJob
KINDS: dict[str, type[JobSpec]] = {
    "train": TrainJob,
    "sample": SampleJob,
    "review": ReviewJob,
    "grid": GridJob,
    "export": ExportJob,
    "proof": ProofJob,
    "measure": MeasureJob,
    "fill": FillJob,
}


def processes_of(job: JobSpec) -> int:
    """How many processes a job works with; only trainings have several."""
    return job.spec.train.processes if isinstance(job, TrainJob) else 1


def trigger_of(dataset: DataSet, project: str) -> str:
    """The trigger that a set's captions are to hold: its own, else the project's; "" for regularization, which must not."""
    return "" if dataset.role == "regularization" else dataset.trigger or project


def data_sets(data: Data) -> tuple[DataSet, ...]:
    """The sets of either form, in the order subject, regularization, holdout for the short one."""
    if data.sets:
        return data.sets
    short: tuple[tuple[str, Role], ...] = (
        (data.images, "subject"),
        (data.regularization, "regularization"),
        (data.holdout, "holdout"),
    )
    return tuple(DataSet(path=path, role=role) for path, role in short if path)
