"""What the captions room does to many captions at once: replace, change, edit elsewhere, draft, mend."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.dataset.captioning.book import Outcome
from engine.dataset.captioning.checks.shapes import Conversion
from engine.dataset.captioning.content import shown
from projects.problems import Refused
from tui import remembered
from tui.caption_changes import Changed, Replacement, Scope
from tui.screens.caption_leader import CaptionLeader
from tui.working import in_thread, said

if TYPE_CHECKING:
    from tui.screens.previewing import Previewing


class CaptionMany(CaptionLeader):
    """The keys of the room that are about more than the caption in the editor."""

    @property
    def scopes(self) -> list[Scope]:
        """The captions that a change may be meant for: all, those of the filter, those selected."""
        rows = self.captions.rows
        made = [Scope(words="all", entries=[each for row in rows.values() for each in row.entries])]
        if 0 < len(self.narrowed) < len(rows):
            made.append(
                Scope(words="filter", entries=[each for row in self.narrowed for each in row.entries])
            )
        if self.rows.selected:
            made.append(Scope(words="selected", entries=[each for row in self.meant for each in row.entries]))
        return made

    def do_replace(self) -> None:
        from tui.screens.replacing import Replacing

        self.save()
        scopes, selected = self.scopes, self.editor.selected_text
        begin = Replacement(old=selected) if selected and "\n" not in selected else None
        self._many(lambda: Replacing(scopes, at=len(scopes) - 1, begin=begin))

    def do_change(self) -> None:
        from tui.screens.changing import Changing

        self.save()
        scopes = self.scopes
        self._many(lambda: Changing(scopes, self.captions.spec, at=len(scopes) - 1))

    def _many(self, make: Callable[[], "Previewing"]) -> None:
        def write(changed: Changed | None) -> None:
            if changed is not None and self.desk is not None:
                asked = changed.asked
                self.desk.apply(
                    asked.kind, asked.words, changed.texts, self._changed_many, bases=changed.bases
                )

        self.app.push_screen(make(), write)

    def _changed_many(self, outcome: Outcome) -> None:
        count = len(outcome.op.files) if outcome.op else 0
        self.say(f"{count:,} captions changed. {'^z' if self.editor.has_focus else 'u'} takes it back.")
        self.open_here(anew=True)

    def do_editor(self) -> None:
        from engine.dataset.captioning.buffer import buffer_of, changed_in
        from tui.editor import edit_text, keep_text

        self.save()
        entries = [row.entries[0] for row in self.meant] if self.rows.selected else list(self.opened.entries)
        closed = [
            each.file for each in entries if each.problem or (each.content and not each.content.editable)
        ]
        if closed:
            self.say(
                f"Not UTF-8, or not readable: {', '.join(closed[:3])}. U converts the caption under the cursor."
            )
            return
        texts = {each.file: shown(each.text) for each in entries}
        one = len(texts) == 1
        text = next(iter(texts.values())) if one else buffer_of(texts)
        made = edit_text(self.bench, text + ("\n" if one else ""), f"{Path(entries[0].file).stem}.txt")
        if made is None or self.desk is None:
            return
        try:
            changed = {next(iter(texts)): made.removesuffix("\n")} if one else changed_in(made, texts)
        except Refused as refused:
            kept = keep_text(self.bench, made)
            self.say(f"{said(refused)} Nothing was changed; what you wrote is in {kept}.")
            return
        bases = {each.file: each.content for each in entries}
        self.desk.apply("edit", "edited in an editor", changed, self.opened_anew, bases=bases)

    def do_draft(self) -> None:
        from tui.screens.modal import Ask

        remembered_model = str(remembered.habits().get("captioner", ""))
        question = "Draft the missing captions with which model? Hub id or folder; safelight captions DIR fill has more"
        self.app.push_screen(Ask(question, remembered_model), self._drafting)

    def _drafting(self, model: str | None) -> None:
        from tui import filling

        project = self.bench.project
        if not model or project is None:
            return
        self.save()
        names = [row.picture for row in self.meant] if self.rows.selected else []
        values = {"model": model, **({"pictures": tuple(names)} if names else {})}

        def work() -> str:
            from projects.project import open_project, resolve

            prepared = filling.prepare(project, resolve(open_project(project)), values)
            remembered.keep_habit("captioner", model)
            if not prepared.choice.wanted:
                return " ".join(["Nothing to draft.", *filling.left_alone(prepared)])
            filling.start(prepared)
            left = filling.left_alone(prepared)
            return " ".join([f"Drafting {len(prepared.choice.wanted):,} captions; F stops it.", *left])

        in_thread(self.bench, work, self.say)

    def do_stop_drafts(self) -> None:
        from tui import drafting

        project = self.bench.project
        if project is not None:
            in_thread(self.bench, lambda: drafting.stop(project), self.say)

    def do_fix(self) -> None:
        check = self.checked
        if check is None or self.desk is None:
            return
        self.save()
        texts: dict[str, str] = {}
        files: list[str] = []
        said = ""
        for finding in check.findings:
            fix = self._learned.fix(finding)
            if fix is None:
                continue
            said = said or fix.words
            for name in finding.pictures:
                for entry in self.captions.rows[name].entries if name in self.captions.rows else ():
                    if isinstance(fix, Conversion):
                        files.append(entry.file)
                    elif entry.content is not None:
                        texts[entry.file] = fix(texts.get(entry.file, shown(entry.text)))
        if files:
            self.desk.convert(files, self.opened_anew)
        elif texts:
            self.desk.apply("fix", said, texts, self.opened_anew)

    def opened_anew(self, outcome: Outcome) -> None:
        """Say what was done, and show the caption as it is now."""
        if outcome.op:
            self.say_done(outcome.op)
        self.open_here(anew=True)
