"""Everything a key can do, declared once: footer, help, palette and `safelight keys` are made of this table.

The first part of an id is the place that answers: app (everywhere), list (every list), large (a picture alone), or a room.
The rest names the method: `train.stop-now` is `do_stop_now` of the train room. People change keys by id (`tui/keymap.py`).
"""

from dataclasses import dataclass
from typing import Final


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
    instead: str = ""
    """What to use until this is there: the key says it, help and palette leave it out."""

    @property
    def place(self) -> str:
        """app, list, large, or the room."""
        return self.id.partition(".")[0]

    @property
    def method(self) -> str:
        """The method that does it, on the place."""
        return "do_" + self.id.partition(".")[2].replace("-", "_")


def _rooms() -> list[Action]:
    group = "Rooms"
    open_first = "Open a project first: enter on one of the list, or n for a new one."
    rooms = (("1", "project"), ("2", "pictures"), ("3", "captions"), ("4", "train"), ("5", "review"))
    instead = {
        "captions": "3 Captions is not there yet. Until then: safelight captions DIR check",
    }
    return [
        *(
            Action(
                id=f"app.{name}",
                group=group,
                keys=key,
                words=f"go to {name}",
                when="project",
                otherwise=open_first,
                instead=instead.get(name, ""),
            )
            for key, name in rooms
        ),
        Action(id="app.home", group=group, keys="0", words="go home, to the list of projects"),
    ]


def _lists() -> list[Action]:
    move, find, choose = "Move", "Find", "Choose"

    def step(name: str, keys: str, words: str) -> Action:
        return Action(id=f"list.{name}", group=move, keys=keys, words=words, palette=False)

    return [
        step("down", "j,down", "one row down"),
        step("up", "k,up", "one row up"),
        step("page-down", "pagedown,ctrl+d", "one page down"),
        step("page-up", "pageup,ctrl+u", "one page up"),
        step("first", "g,home", "first row"),
        step("last", "G,end", "last row"),
        Action(id="list.filter", group=find, keys="slash", words="filter the list", palette=False),
        Action(id="list.clear-filter", group=find, keys="escape", words="clear the filter", when="hits",
               palette=False),
        Action(id="list.next-hit", group=find, keys="n", words="next hit of the last search", when="hits",
               palette=False),
        Action(id="list.previous-hit", group=find, keys="N", words="previous hit", when="hits", palette=False),
        Action(id="list.choose", group=choose, keys="enter", words="do the obvious thing with the row",
               palette=False),
        Action(id="list.select", group=choose, keys="space", words="select the row", when="selectable",
               palette=False),
        Action(id="list.select-all", group=choose, keys="asterisk", words="select all that the filter shows",
               when="selectable", palette=False),
    ]  # fmt: skip


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
    group, none, nothing = "Pictures", "There is no picture here.", "There is nothing to take back."
    size = "This picture was not opened yet, so nobody knows its crop."

    def key(
        name: str, keys: str, words: str, label: str = "", when: str = "picture", otherwise: str = none
    ) -> Action:
        return Action(id=f"pictures.{name}", group=group, keys=keys, words=words, label=label, when=when,
                      otherwise=otherwise)  # fmt: skip

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
        Action(id="pictures.everything", group=group, keys="escape", words="show all pictures again",
               when="narrowed", otherwise="All pictures are shown.", palette=False),
    ]  # fmt: skip


def _tiles() -> list[Action]:
    group = "Tiles"

    def key(name: str, keys: str, words: str) -> Action:
        return Action(id=f"tiles.{name}", group=group, keys=keys, words=words, palette=False)

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
    group = "Crop"

    def key(name: str, keys: str, words: str) -> Action:
        return Action(id=f"crop.{name}", group=group, keys=keys, words=words, palette=False)

    return [
        key("left", "left,h", "move the frame to the left"),
        key("right", "right,l", "move the frame to the right"),
        key("up", "up,k", "move the frame up"),
        key("down", "down,j", "move the frame down"),
        key("take", "enter", "keep this part from now on"),
        key("leave", "escape,q", "leave the crop as it was"),
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
    group, none = "Review", "There is no review of this run yet: R draws it."
    return [
        Action(id="review.large", group="Picture", keys="z", words="show the picture alone, large", label="large",
               when="pictures", otherwise=none),
        Action(id="review.earlier", group=group, keys="left_square_bracket", words="go to the previous picture",
               label="previous", when="pictures", otherwise=none),
        Action(id="review.later", group=group, keys="right_square_bracket", words="go to the next picture",
               label="next", when="pictures", otherwise=none),
        Action(id="review.export", group=group, keys="x", words="export the adapter for other tools",
               label="export", when="saved", otherwise="Nothing was saved yet that could be exported."),
        Action(id="review.draw", group=group, keys="R", words="draw the review's sheets again", label="draw again",
               when="saved", otherwise="A review needs a checkpoint; this run has none yet."),
    ]  # fmt: skip


def _large() -> list[Action]:
    group = "Picture"

    def key(name: str, keys: str, words: str) -> Action:
        return Action(id=f"large.{name}", group=group, keys=keys, words=words, palette=False)

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
               when="side", otherwise="This screen has no side pane."),
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
        *_tiles(),
        *_crop(),
        *_train(),
        *_review(),
        *_large(),
        *_everywhere(),
    ]
}
