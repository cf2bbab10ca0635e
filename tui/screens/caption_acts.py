"""What the keys of the captions room do beside moving and typing."""

from collections.abc import Callable
from pathlib import Path

from engine.dataset.captioning.book import Conflict, Outcome
from engine.dataset.captioning.content import shown
from tui.audit_words import why_lines
from tui.audited import CheckRow
from tui.caption_desk import CaptionDesk
from tui.declared import keys_of
from tui.screens import looking
from tui.screens.caption_many import CaptionMany


class CaptionActs(CaptionMany):
    """The keys of the room, the ones after the leader among them."""

    # ---- going

    def do_edit(self) -> None:
        self.open_here()
        self.editor.focus()

    def do_next_open(self) -> None:
        self._go_open(1)

    def do_previous_open(self) -> None:
        self._go_open(-1)

    def _go_open(self, way: int) -> None:
        self.save()
        names = [str(name) for name in self.rows.rows]
        at = self.rows.at
        behind = names[at + 1 :] + names[: at + 1] if way > 0 else names[:at][::-1] + names[at:][::-1]
        found = next((name for name in behind if self._open(name)), None)
        if found is None:
            self.say("No picture is open: all have captions that somebody wrote or looked at.")
            return
        self._variant = 0
        self.rows.go_to(found)
        self.open_here()

    def _open(self, name: str) -> bool:
        row = self.captions.rows.get(name)
        if row is None:
            return False
        # What was typed a moment ago is on its way into the file.
        typed = name == (self.here.picture if self.here else "") and bool(self.editor.value.strip())
        return self.captions.is_open(row) and not (typed and not self.captions.is_draft(row))

    def do_variant(self) -> None:
        row = self.here
        if row is None or len(row.entries) < 2:
            self.say("This picture has one caption: V writes another.")
            return
        self.save()
        self._variant = (self._variant + 1) % len(row.entries)
        self.open_here(anew=True)
        self.say(f"{Path(self.opened.file).name}: variant {self._variant + 1} of {len(row.entries)}.")

    def do_new_variant(self) -> None:
        row = self.here
        if row is None or self.desk is None:
            return
        if row.empty:
            self.say("Write the first caption before its variants.")
            return
        self.save()
        number = max(entry.variant for entry in row.entries) + 1
        first = Path(row.entries[0].file)
        file = first.with_name(f"{first.stem}.{max(2, number)}{first.suffix}").as_posix()
        # A file without a word is a caption that is missing: it begins as the first caption does.
        text = self.trigger_here or row.text.partition(",")[0]
        # What is typed next is meant for the new one.
        self.set_focus(self.rows)
        self.bench.hold_keys()

        def there(outcome: Outcome) -> None:
            if self.desk and outcome.op:
                self._variant, self._writes_next = len(row.entries), True
                self.desk.load()
            else:
                self.bench.release_keys()

        self.desk.apply("edit", f"began {Path(file).name}", {file: f"{text}, "}, there)

    def do_help(self) -> None:
        self.bench.do_help()

    def do_filter(self) -> None:
        self.save()
        self.rows.focus()
        self.rows.do_filter()

    # ---- typing

    def do_word_left(self) -> None:
        self.editor.action_cursor_word_left()

    def do_word_right(self) -> None:
        self.editor.action_cursor_word_right()

    def do_mark(self) -> None:
        self.editor.mark()

    def do_again(self) -> None:
        if self.again is None:
            return
        made = self.again.on(self.editor.value)
        if made is None:
            self.say(f"{self.again.words} has nowhere to go here.")
        else:
            self.editor.change(made)

    def do_trigger(self) -> None:
        from engine.dataset.captioning.arranging import TriggerFirst

        row, trigger = self.here, self.trigger_here
        if row and row.role == "regularization":
            self.say("A regularization picture must not have the trigger.")
            return
        if not trigger:
            self.say("This project has no trigger: write one in room 1.")
            return
        if not self.editor.value.strip():
            self.editor.change(f"{trigger}, ")
            return
        made = TriggerFirst(trigger)(self.editor.value)
        if made == self.editor.value:
            self.say(f"{trigger} is first already.")
        else:
            self.editor.change(made)

    def do_previous_caption(self) -> None:
        names = [str(name) for name in self.rows.rows]
        before = self.captions.rows.get(names[self.rows.at - 1]) if self.rows.at > 0 else None
        if before is None or before.empty:
            self.say("The picture before has no caption.")
        elif not self.editor.value.strip():
            self.editor.change(shown(before.text))
        else:
            self.editor.put_in(shown(before.text))

    def do_looked(self) -> None:
        self.desk_look([entry.file for row in self.meant for entry in row.entries])

    def do_utf_8(self) -> None:
        files = [entry.file for row in self.meant for entry in row.entries]
        if self.desk:
            self.desk.convert(files, self.opened_anew)

    def do_undo(self) -> None:
        self._turn(CaptionDesk.undo)

    def do_redo(self) -> None:
        self._turn(CaptionDesk.redo)

    def _turn(self, way: Callable[[CaptionDesk, Callable[[Outcome], object]], object]) -> None:
        """Another picture may come of it: what is typed behind the key is meant for that."""
        self.save()
        if self.desk is None:
            return

        def done(outcome: Outcome) -> None:
            self.underway -= 1
            self.stepped(outcome)
            self.editor.go_on()

        self.underway += 1
        self.editor.wait()
        way(self.desk, done)

    def stepped(self, outcome: Outcome) -> None:
        """Say what was done, and show it."""
        if outcome.op is None:
            return
        self.say_done(outcome.op)
        entries = {entry.file: entry for row in self.captions.rows.values() for entry in row.entries}
        known = [entries.get(file) for file in outcome.op.files]
        if self.desk and any(each is None or (each.variant > 1 and each.content is None) for each in known):
            # A variant came or went.
            self._variant = 0
            self.desk.load()
        # Whoever takes back wants to see what came back.
        there = [each.picture for each in known if each]
        if there and (self.here is None or self.here.picture not in there):
            self.rows.go_to(there[0])
        self.open_here(anew=True)

    def do_again_read(self) -> None:
        self.save()
        if self.desk:
            self.desk.load()

    # ---- looking

    def do_large(self) -> None:
        from tui.screens.large import Alone, Large

        rows = self.narrowed
        told = [Alone(row.path, f"{row.picture}: {' '.join(row.text.split())}") for row in rows]
        at = next((at for at, row in enumerate(rows) if row is self.here), 0)
        if told:
            self.app.push_screen(Large(self.bench.pictures, told, at))

    def do_external(self) -> None:
        if self.here:
            looking.elsewhere(self.bench, self.here.path, self.here.picture)

    def do_model(self) -> None:
        from tui.screens.seeing import Pieces, Seeing, seen_of

        row, project, captions, eyes = self.here, self.bench.project, self.captions, self._eyes
        if row is None or project is None:
            return

        def pieces(text: str) -> Pieces:
            counting = eyes.counting if eyes else None
            return list(zip(counting.places, counting.pieces(text), strict=False)) if counting else ()

        self.save()
        self.app.push_screen(
            Seeing(
                self.bench.pictures,
                row.path,
                row.picture,
                lambda: seen_of(project, captions, row.picture),
                pieces,
            )
        )

    def do_history(self) -> None:
        from tui.screens.history import show_history

        if self.desk and self.desk.book:
            show_history(self.bench, self.desk.book.journal)

    def read_check(self, check: CheckRow) -> None:
        """What a check says, where it names no pictures."""
        looking.read(self.bench, check.title, why_lines(check.findings))

    def do_ignore(self) -> None:
        from tui.screens.modal import Ask

        check = self.checked
        if check is None:
            return

        def said(reason: str | None) -> None:
            if reason is not None:
                values = {check.name: reason or "no reason given"}
                self.put(keys_of("captions.ignored", values), f"{check.title}: a note from now on.")

        if check.ignored:
            keys = {key: None for each in check.findings for key in (check.name, each.key)}
            self.put(keys_of("captions.ignored", keys), f"{check.title}: not ignored any more.")
        else:
            self.app.push_screen(Ask(f"Why is it ignored: {check.title}?"), said)

    def settle(self, conflict: Conflict) -> None:
        """Ask which of two edits is meant. Until then theirs is in the file, and mine in the journal."""
        from tui.screens.choosing import Choosing

        def chosen(text: str | None) -> None:
            if self.desk is None:
                return
            if text is None:
                self.desk.type(conflict.file, shown(conflict.mine), conflict.origin)
                self.say(f"{Path(conflict.file).name} stays as it is; R asks again.")
                return
            self.desk.type(conflict.file, None)
            bases = {conflict.file: conflict.theirs if conflict.theirs.data else None}
            self.desk.apply("merge", f"chose between two edits of {Path(conflict.file).name}",
                            {conflict.file: text}, self.opened_anew, bases=bases)  # fmt: skip

        self.app.push_screen(Choosing(conflict), chosen)
