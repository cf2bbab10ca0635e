"""Everything a key can do, declared once: footer, help, palette and `safelight keys` are made of this table.

The first part of an id is the place that answers: app (everywhere), list (every list), large (a picture alone), or a room.
The rest names the method: `train.stop-now` is `do_stop_now` of the train room. People change keys by id (`tui/keymap.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing that can be done, and the keys that do it."""

    id: str
    group: str
    """Heading in the help."""
    keys: str
    """Keys in Textual's names, separated by commas."""
    words: str
    """Verb and noun, for help and palette."""
    label: str = ""
    """Word in the footer; "" keeps it out of there."""
    when: str = ""
    """Condition that the place must state for the action to apply; "" for always."""
    otherwise: str = ""
    """What is said when the key is pressed and the condition is not met."""
    palette: bool = True
    """Whether the palette offers it."""
    leader: str = ""
    """Key after ctrl+g that does it while somebody types; "" for none."""

    @property
    def place(self) -> str:
        """app, list, large, or the room."""
        return self.id.partition(".")[0]

    @property
    def method(self) -> str:
        """The method that does it, on the place."""
        return "do_" + self.id.partition(".")[2].replace("-", "_")


def _keys(place: str, group: str, **same: Any) -> Callable[..., Action]:
    """How the actions of one place are declared: by name, keys, words, and what is not the same (`same`) for all."""

    def key(name: str, keys: str, words: str, label: str = "", *condition: str, **own: Any) -> Action:
        """condition: when, and otherwise."""
        given = dict(zip(("when", "otherwise"), condition, strict=False))
        return Action(
            id=f"{place}.{name}", group=group, keys=keys, words=words, label=label, **{**same, **given, **own}
        )

    return key


def _rooms() -> list[Action]:
    group = "Rooms"
    open_first = "Open a project first: enter on one of the list, or n for a new one."
    rooms = (("1", "project"), ("2", "pictures"), ("3", "captions"), ("4", "train"), ("5", "review"))
    return [
        *(
            Action(
                id=f"app.{name}",
                group=group,
                keys=key,
                words=f"go to {name}",
                when="project",
                otherwise=open_first,
            )
            for key, name in rooms
        ),
        Action(id="app.home", group=group, keys="0", words="go home, to the list of projects"),
    ]


def _lists() -> list[Action]:
    step = _keys("list", "Move", palette=False)
    find = _keys("list", "Find", palette=False, when="hits")
    choose = _keys("list", "Choose", palette=False, when="selectable")
    return [
        step("down", "j,down", "one row down"),
        step("up", "k,up", "one row up"),
        step("page-down", "pagedown,ctrl+d", "one page down"),
        step("page-up", "pageup,ctrl+u", "one page up"),
        step("first", "g,home", "first row"),
        step("last", "G,end", "last row"),
        find("filter", "slash", "filter the list", when=""),
        find("clear-filter", "escape", "clear the filter"),
        find("next-hit", "n", "next hit of the last search"),
        find("previous-hit", "N", "previous hit"),
        choose("choose", "enter", "do the obvious thing with the row", when=""),
        choose("select", "space", "select the row"),
        choose("select-all", "asterisk", "select all that the filter shows"),
    ]


def _home() -> list[Action]:
    group = "Home"
    return [
        Action(id="home.open", group=group, keys="enter,o", words="open the project of the row", label="open",
               when="row", otherwise="There is no project in the list yet: d makes the demo's, n a new one."),
        Action(id="home.new", group=group, keys="n", words="make a new project", label="new"),
        Action(id="home.demo", group=group, keys="d", words="make and train the demo", label="demo"),
        Action(id="home.forget", group=group, keys="D", words="take the project off this list (its files stay)",
               when="row", otherwise="The list is empty."),
        Action(id="home.undo", group=group, keys="u", words="put the project back that was taken off", when="taken",
               otherwise="Nothing was taken off the list."),
    ]  # fmt: skip


def _project() -> list[Action]:
    group, nothing = "Project", "There is nothing to take back."
    return [
        Action(id="project.change", group=group, keys="enter", words="change the field", label="change"),
        Action(id="project.train", group=group, keys="t", words="train: start a run", label="train", when="ready",
               otherwise="Not yet: the list says what stands in the way."),
        Action(id="project.train-as", group=group, keys="T", words="train with another name", label="train as",
               when="ready", otherwise="Not yet: the list says what stands in the way."),
        Action(id="project.preset", group=group, keys="p", words="choose a preset", label="preset"),
        Action(id="project.all", group=group, keys="a", words="show all fields, or the usual ones",
               label="all fields"),
        Action(id="project.undo", group=group, keys="u", words="undo the last change", label="undo", when="undo",
               otherwise=nothing),
        Action(id="project.redo", group=group, keys="ctrl+r", words="redo what was undone", when="redo",
               otherwise=nothing),
        Action(id="project.preset-value", group=group, keys="delete,backspace",
               words="give the field its preset's value", when="said",
               otherwise="This field has its preset's value already."),
        Action(id="project.editor", group=group, keys="E", words="edit project.toml in $EDITOR", label="editor"),
        Action(id="project.again", group=group, keys="R", words="read and check everything again"),
    ]  # fmt: skip


def _pictures() -> list[Action]:
    none, nothing = "There is no picture here.", "There is nothing to take back."
    size = "This picture was not opened yet, so nobody knows its crop."
    key = _keys("pictures", "Pictures", when="picture", otherwise=none)
    return [
        key("leave-out", "x", "leave the picture out of training, or take it back; its file stays", "leave out"),
        key("ignore", "i", "ignore the finding, with a reason", "ignore", "found", "Nothing was found here to ignore."),
        key("crop", "m", "move the point that the crop keeps", "crop", "placed", size),
        key("model", "w", "see what the model sees: the pixels that are trained, at each resolution in turn", "as trained",
            "placed", size),
        key("large", "z", "show the picture alone, large", "large"),
        key("tiles", "t", "show the list as tiles, or as rows again", "tiles"),
        key("distance", "d", "say how near the camera is", "distance"),
        key("light", "l", "say what light it is", "light"),
        key("wardrobe", "W", "say what clothes or styling it is", "wardrobe"),
        key("undo", "u", "undo the last change of project.toml that was made here", "", "undo", nothing),
        key("redo", "ctrl+r", "redo what was undone", "", "redo", nothing),
        key("external", "o", "open the picture in another program"),
        key("again", "R", "run the audit again", "again", "over", "It runs already: S stops it."),
        key("stop", "S", "stop the audit; what it has measured is kept", "stop", "running", "No audit is running."),
        key("everything", "escape", "show all pictures again, then select none", "", "narrowed",
            "All pictures are shown, and none is selected.", palette=False),
    ]  # fmt: skip


def _captions() -> list[Action]:
    declare = _keys("captions", "Captions", when="picture", otherwise="There is no picture here.")

    def key(name: str, keys: str, *words: str, leader: str | None = None, **own: Any) -> Action:
        """leader: another key after ctrl+g than the first of `keys`."""
        return declare(name, keys, *words, leader=keys.split(",")[0] if leader is None else leader, **own)

    nothing = "There is nothing to take back."
    return [
        key("edit", "e", "type into the caption", "edit", leader=""),
        key("next-open", "J", "go to the next open picture: no caption, or a draft", "next open", leader="j"),
        key("previous-open", "K", "go to the previous open picture", leader="k"),
        key("again", "full_stop", "do the last edit here too", "same here", "again", "Nothing was edited yet."),
        key("trigger", "t", "put the trigger first", "trigger"),
        key("replace", "r", "replace words in many captions", "replace"),
        key("change", "c", "change many: put in front, remove, sort, merge", "change many"),
        key("draft", "f", "let a model draft captions", "drafts"),
        key("stop-drafts", "F", "stop drafting; the drafts that are made go into the captions", "stop drafts", "drafting",
            "No captions are being drafted: f starts it."),
        key("looked", "y", "keep the draft as it is: you have looked at it", "keep draft", "draft",
            "This is no model's draft."),
        key("editor", "E", "edit in $EDITOR, all that are selected in one text", "editor", leader="e"),
        key("add-phrase", "a", "give the phrase at the cursor, or the selection, a number"),
        key("previous-caption", "p", "take over the caption of the picture before"),
        key("large", "z", "show the picture alone, large", "large"),
        key("model", "w", "see what the model sees: pixels and tokens", "as trained"),
        key("external", "o", "open the picture in another program"),
        key("variant", "v", "go to the picture's next variant", leader="v"),
        key("new-variant", "V", "write another variant of the caption"),
        key("utf-8", "U", "make a caption of an older encoding UTF-8", "to UTF-8", "encoded",
            "This caption is UTF-8."),
        key("fix", "x", "do what the check offers", "fix", "fixable", "The cursor is on no check that one key mends."),
        key("ignore", "i", "ignore the check, with a reason", "ignore", "check", "The cursor is on no check."),
        key("order", "s", "sort pictures (name, longest, open first), or phrases (count, name, rarest)", "sort"),
        key("history", "H", "read what was done to the captions", "history", "picture"),
        key("undo", "u", "undo the last step", "undo", "undo", nothing, leader=""),
        key("redo", "ctrl+r", "redo what was undone", "", "redo", "Nothing was taken back.", leader=""),
        key("again-read", "R", "read all captions again", when="", leader=""),
        key("everything", "escape", "show all pictures again", "", "narrowed", "All pictures are shown.", leader="",
            palette=False),
    ]  # fmt: skip


def _after_leader() -> list[Action]:
    declare = _keys("leader", "While typing, after ^g", palette=False)

    def key(name: str, keys: str, words: str) -> Action:
        return declare(name, keys, words, leader=keys)

    return [
        key("phrase", "1,2,3,4,5,6,7,8,9", "put in the phrase of that number"),
        key("word-left", "h", "one word to the left"),
        key("word-right", "l", "one word to the right"),
        key("mark", "space", "begin a selection that motions go on with, or end it"),
        key("filter", "slash", "filter the pictures"),
        key("help", "question_mark", "show all keys"),
    ]


def _seeing() -> list[Action]:
    key = _keys("seeing", "What the model sees", palette=False)
    return [
        key(
            "later",
            "right_square_bracket,right,space",
            "the next time that the picture is trained",
            "next time",
        ),
        key("earlier", "left_square_bracket,left", "the time before", "time before"),
        key("leave", "escape,q,w,enter", "back to the room", "back"),
    ]


def _tiles() -> list[Action]:
    key = _keys("tiles", "Tiles", palette=False)
    return [
        key("left", "left", "previous tile"),
        key("right", "right", "next tile"),
        key("up", "up,k", "one line of tiles up"),
        key("down", "down,j", "one line of tiles down"),
        key("page-up", "pageup,ctrl+u", "one page of tiles up"),
        key("page-down", "pagedown,ctrl+d", "one page of tiles down"),
        key("first", "g,home", "first tile"),
        key("last", "G,end", "last tile"),
        key("filter", "slash", "filter the tiles"),
        key("choose", "enter", "show why and where"),
        key("select", "space", "select the tile"),
        key("select-all", "asterisk", "select all that the filter leaves"),
    ]


def _crop() -> list[Action]:
    key = _keys("crop", "Crop", palette=False)
    return [
        key("left", "left,h", "move the frame to the left"),
        key("right", "right,l", "move the frame to the right"),
        key("up", "up,k", "move the frame up"),
        key("down", "down,j", "move the frame down"),
        key("take", "enter", "keep this part from now on"),
        key("leave", "escape,q", "leave the crop as it was"),
    ]


def _many() -> list[Action]:
    """Changes of many captions: of words by others, and of the rest."""

    replacing = _keys("replacing", "Replace", palette=False)
    changing = _keys("changing", "Change many", palette=False)

    def both(key: Callable[..., Action]) -> list[Action]:
        return [
            key("write", "enter,ctrl+j", "write what the table shows, as one step of undo", "write"),
            key("scope", "ctrl+s,f5", "all captions, those of the filter, or the selected ones", "in"),
            key("leave", "escape,ctrl+q", "leave; nothing is written", "leave"),
        ]

    return [
        replacing("regex", "ctrl+r,f2", "a regular expression, or the letters as they are"),
        replacing("phrase", "ctrl+o,f3", "only whole phrases between commas"),
        replacing("word", "ctrl+n,f4", "only whole words"),
        replacing("case", "ctrl+y,f6", "small and capital letters are the same, or not"),
        *both(replacing),
        changing("option", "ctrl+n,f4", "the next of what is to choose beside the field"),
        changing("option-back", "ctrl+o,f3", "the previous one"),
        *both(changing),
    ]


def _choosing() -> list[Action]:
    key = _keys("choosing", "Two edits of one caption", palette=False)
    return [
        key("mine", "m", "write mine", "mine"),
        key("theirs", "t", "keep theirs", "theirs"),
        key("both", "b", "write both, mine first where they differ", "both"),
        key("leave", "escape,q", "decide later; the file stays as it is", "later"),
    ]


def _train() -> list[Action]:
    group, still = "Run", "Nobody works on this run, so nobody would hear it."
    idle = "Nobody works on this run or on a job of it, so nobody would hear it."
    return [
        Action(id="train.stop", group=group, keys="s", words="stop the run (it saves first), or the job on it that works",
               label="stop", when="stoppable", otherwise=idle),
        Action(id="train.stop-now", group=group, keys="S", words="end it now, unsaved steps are lost",
               label="end now", when="stop-asked", otherwise="s asks it to save and stop; S is for when nobody hears."),
        Action(id="train.checkpoint", group=group, keys="c", words="save a checkpoint now", label="checkpoint",
               when="works", otherwise=still),
        Action(id="train.preview", group=group, keys="p", words="draw a preview now", label="preview",
               when="works", otherwise=still),
        Action(id="train.resume", group=group, keys="r", words="resume the run, or the job on it that ended early",
               label="resume", when="resumable", otherwise="It is at work, waits or is done: there is nothing to resume."),
        Action(id="train.earlier", group="Time", keys="left_square_bracket", words="go back in the run",
               label="earlier", when="moments", otherwise="Nothing was saved or drawn yet."),
        Action(id="train.later", group="Time", keys="right_square_bracket", words="go on in the run",
               label="later", when="moments", otherwise="Nothing was saved or drawn yet."),
        Action(id="train.log", group=group, keys="L", words="read the worker's log", label="log", when="run",
               otherwise="There is no run yet."),
        Action(id="train.log-scale", group="Curve", keys="y", words="switch the curve's logarithmic scale",
               label="log scale", when="run", otherwise="There is no run yet."),
        Action(id="train.large", group="Picture", keys="z", words="show the previews large", label="large",
               when="pictures", otherwise="This run has drawn nothing yet: p asks for a preview."),
        Action(id="train.bell", group=group, keys="b", words="ring the bell when the run ends or warns",
               label="bell"),
        Action(id="train.review", group=group, keys="R", words="review the run", label="review", when="saved",
               otherwise="A review needs a checkpoint; this run has none yet."),
    ]  # fmt: skip


def _review() -> list[Action]:
    none = "There is no review of this run yet: R draws it."
    busy = "Not now: a review needs a checkpoint, and no other job at work on it. S stops a review."
    key = _keys("review", "Review")
    look = _keys("review", "Picture", when="pictures", otherwise=none)
    own = _keys("review", "Your own verdict", when="pictures", otherwise=none)
    return [
        key("stop", "S", "stop the review that is at work; what is drawn stays", "stop", "running",
            "No review of this run is at work."),
        look("earlier", "left_square_bracket", "go to the previous prompt; in a list or evidence, to the previous picture",
             "prompt"),
        look("later", "right_square_bracket", "go to the next prompt; in a list or evidence, to the next picture"),
        look("seed", "s", "go to the next seed", "seed", "seeds", "All pictures here have one seed."),
        look("view", "v", "show the grid, the sheets and every picture, or the evidence", "view"),
        look("large", "z", "show the picture alone, large", "large"),
        key("prepare", "n", "prepare the test's next step as a new run", "next step", "steps",
            "This test advises no next step; up and down go over the tests."),
        look("beside", "d", "show the nearest training picture beside this one", "nearest", "nearest",
             "This picture was compared with no training picture."),
        look("grid", "escape", "go back to the grid", palette=False),
        key("pane", "tab", "go to the verdict, or back to the pictures", palette=False),
        key("draw", "R", "draw the review, go on with one that was stopped, or draw it again", "draw", "saved", busy),
        key("refine", "A", "refine the review: more prompts and seeds at the weights that matter", "refine", "saved", busy),
        key("read", "i", "read the whole verdict with all figures", "read all", "reviewed", none),
        key("export", "x", "export the adapter for other tools", "export", "saved",
            "Nothing was saved yet that could be exported."),
        key("other", "O", "go to another run, or see an exported file", "other runs", "others",
            "There is no other run to review, and nothing is exported."),
        key("prompts", "p", "build prompts from parts, and see the negative prompt", "prompts"),
        own("duel", "D", "take one of two pictures, again and again: a duel", "duel"),
        own("blind", "B", "judge now, and again without labels in 48 hours: a blind round", "blind round"),
    ]  # fmt: skip


def _grid() -> list[Action]:
    key = _keys("grid", "Grid", palette=False)
    return [
        key("left", "left,h", "to a lower weight"),
        key("right", "right,l", "to a higher weight"),
        key("up", "up,k", "to an earlier checkpoint"),
        key("down", "down,j", "to a later checkpoint"),
        key("first", "g,home", "to the first place"),
        key("last", "G,end", "to the last place"),
        key("choose", "enter", "show the picture alone, large"),
    ]


def _evidence() -> list[Action]:
    key = _keys("evidence", "Evidence", palette=False)
    return [
        key("earlier", "left,up,h,k", "the previous picture, a worse one"),
        key("later", "right,down,l,j,space", "the next picture"),
        key("first", "g,home", "the worst"),
        key("last", "G,end", "the last"),
        key("choose", "enter", "show both alone, large"),
    ]


def _preparing() -> list[Action]:
    key = _keys("preparing", "A next step", palette=False)
    return [
        key("start", "enter", "start the run, or go to the room where it is done", "start"),
        key("name", "tab", "change the name of the run", "name"),
        key("leave", "escape,q", "leave; nothing is started", "leave"),
    ]


def _prompting() -> list[Action]:
    key = _keys("prompting", "Prompts", palette=False)
    return [
        key("new", "n", "write a new prompt out of its parts", "new"),
        key("edit", "e", "change the parts of the prompt", "change"),
        key("take", "c", "take the parts of a caption; again: of the next one", "caption"),
        key("remove", "d", "take the prompt out", "remove"),
        key("negative", "N", "change the negative prompt", "negative"),
        key("preset-value", "delete,backspace", "give the negative prompt its preset's value", "preset's"),
        key("undo", "u", "take the last change back", "undo"),
        key("redo", "ctrl+r", "do again what was taken back"),
        key("help", "question_mark,f1", "show all keys of the prompts", "help"),
        key("leave", "escape,q", "back to the room; what was saved stays", "back"),
    ]


def _duel() -> list[Action]:
    key = _keys("duel", "Duel", palette=False)
    return [
        key("left", "h,left", "take the left picture, or the upper one", "left"),
        key("right", "l,right", "take the right picture, or the lower one", "right"),
        key("neither", "space", "take neither: they are as good as each other", "neither"),
        key("undo", "u", "take the last duel back", "take back"),
        key("large", "z", "show both pictures large, one after the other", "large"),
        key("help", "question_mark,f1", "show all keys of a duel", "help"),
        key("leave", "escape,q", "back to the room; every duel is kept", "back"),
    ]


def _blind() -> list[Action]:
    key = _keys("blind", "Blind round", palette=False)
    return [
        key("one", "1", "rate it 1: unusable"),
        key("two", "2", "rate it 2: poor"),
        key("three", "3", "rate it 3: fair"),
        key("four", "4", "rate it 4: good"),
        key("five", "5", "rate it 5: as I wanted it"),
        key("note", "e", "write a note beside the first impression", "note"),
        key("seal", "s", "seal the round with the first impression; it opens in 48 hours", "seal"),
        key("undo", "u", "take the last verdict back", "take back"),
        key("open", "o", "open the round: show its labels, and rate nothing any more", "open"),
        key("again", "B", "begin another round, once this one is opened; it is kept", "another round"),
        key("help", "question_mark,f1", "show all keys of a blind round", "help"),
        key("leave", "escape,q", "back to the room; every verdict is kept", "back"),
    ]


def _large() -> list[Action]:
    key = _keys("large", "Picture", palette=False)
    return [
        key("zoom-in", "plus,equals_sign", "closer: a part of the picture, larger"),
        key("zoom-out", "minus", "farther, until it is whole"),
        key("left", "left,h", "move over the picture to the left; of a whole one, the previous picture"),
        key("right", "right,l", "move to the right; of a whole one, the next picture"),
        key("up", "up,k", "move up; of a whole one, the previous picture"),
        key("down", "down,j", "move down; of a whole one, the next picture"),
        key("earlier", "left_square_bracket", "the previous picture"),
        key("later", "right_square_bracket,space", "the next picture"),
        key("boxes", "b", "draw the frame of the crop and the boxes of findings, or leave them away"),
        key("model", "w", "see what the model sees, at each resolution in turn"),
        key("help", "question_mark,f1", "show all keys while a picture is large"),
        key("leave", "escape,q,z,enter", "back to the room"),
    ]


def _everywhere() -> list[Action]:
    return [
        Action(id="app.next-pane", group="Panes", keys="tab", words="go to the next pane", palette=False),
        Action(id="app.side", group="Panes", keys="backslash", words="show or hide the side pane", label="side",
               when="side", otherwise="This screen has no side pane.", leader="backslash"),
        Action(id="app.palette", group="Help", keys="ctrl+p", words="open the palette", palette=False),
        Action(id="app.help", group="Help", keys="question_mark,f1", words="show all keys", label="help"),
        Action(id="app.theme", group="Help", keys="ctrl+t", words="change the theme"),
        Action(id="app.redraw", group="Help", keys="ctrl+l", words="draw the screen again", palette=False),
        Action(id="app.leave", group="Leave", keys="q,ctrl+q,ctrl+c", words="leave; what trains goes on", label="leave"),
    ]  # fmt: skip


ACTIONS: Final[dict[str, Action]] = {
    action.id: action
    for action in [
        *_rooms(),
        *_lists(),
        *_home(),
        *_project(),
        *_pictures(),
        *_captions(),
        *_after_leader(),
        *_seeing(),
        *_tiles(),
        *_crop(),
        *_many(),
        *_choosing(),
        *_train(),
        *_review(),
        *_prompting(),
        *_duel(),
        *_blind(),
        *_grid(),
        *_evidence(),
        *_preparing(),
        *_large(),
        *_everywhere(),
    ]
}
