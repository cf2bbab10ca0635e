"""Keys after the leader: what the room does while somebody types a caption."""

from tui import caption_words as words
from tui.actions import ACTIONS
from tui.keymap import shown as shown_key
from tui.screens.caption_phrases import CaptionPhrases
from tui.widgets.lines import Lines


class CaptionLeader(CaptionPhrases):
    """Shows the table of keys under the text, and does what the next one means."""

    def led(self, key: str) -> None:
        """The leader was pressed (""), or the key after it."""
        self.set_class(not key, "-leading")
        if not key:
            labelled = [
                each for each in ACTIONS.values() if each.place == "captions" and each.leader and each.label
            ]
            table = [(shown_key(each.leader), each.label) for each in labelled]
            self.query_one("#leader", Lines).show(
                words.leader_lines(table, self.numbered, self.size.width - 2)
            )
            return
        found = next(
            (
                each
                for each in ACTIONS.values()
                if each.place in ("captions", "leader", "app") and key in each.leader.split(",")
            ),
            None,
        )
        if key.isdigit() and key != "0":
            self.put_phrase(int(key))
        elif found is None:
            self.say(
                "" if key in ("escape", "ctrl+g") else f"Nothing is on {key} after ^g. ? shows all keys."
            )
        elif found.place == "leader":
            getattr(self, found.method)()
        else:
            self.action_act(found.id)
