"""Command line of the demo base: `python -m engine.demo data|tokenizer|vae|unet|assemble|sheet|card|project|cases`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from engine.demo import BASE_DIR
from engine.demo.case_options import add_options
from projects.problems import Refused


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine.demo",
        description="Train the embedded demo base from nothing, and write the demo's project. In order: data, "
        "tokenizer, vae, unet, assemble, sheet, card. Every stage may be killed and run again: it goes on.",
    )
    parser.add_argument("--work", type=Path, default=Path("pretrain"), help="folder for data and checkpoints")
    parser.add_argument("--base", type=Path, default=BASE_DIR, help="folder of the assembled base")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="render the pretraining pictures")
    data.add_argument("--pictures", type=int, default=24_000)
    commands.add_parser("tokenizer", help="learn the tokenizer")
    vae = commands.add_parser("vae", help="stage 1: the autoencoder")
    vae.add_argument("--steps", type=int, default=12_500)
    vae.add_argument("--rate", type=float, default=2e-3)
    unet = commands.add_parser("unet", help="stage 2: denoiser and text encoders")
    unet.add_argument("--steps", type=int, default=6000)
    unet.add_argument("--rate", type=float, default=1.2e-3)
    for stage in (vae, unet):
        stage.add_argument("--until", type=int, default=-1, help="stop at this step; run again to go on")
    commands.add_parser("assemble", help="write the pipeline folder from whatever is trained so far")
    sheet = commands.add_parser("sheet", help="40 captions by seed, the subject always named, as one picture")
    sheet.add_argument("--out", type=Path, required=True)
    sheet.add_argument("--seed", type=int, default=0)
    sheet.add_argument("--blind", action="store_true", help="no captions under the pictures")
    card = commands.add_parser("card", help="write the model card")
    card.add_argument(
        "--named", type=int, default=None, help="of 40 subjects on the sheet, how many a reader named"
    )
    card.add_argument("--reader", default="", help="who counted, for the card")
    card.add_argument("--machine", default="", help="where it was trained, for the card")
    project = commands.add_parser("project", help="write the demo's project folder")
    project.add_argument("folder", type=Path)
    add_options(commands.add_parser("cases", help="five kinds of training, made, reviewed and counted"))
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2 if refused.usage else 1
    except (FileNotFoundError, FileExistsError, ValueError, FloatingPointError) as problem:
        print(problem, file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    """Each command imports only what it needs: rendering, the project and the cases do without torch."""
    data = options.work / "data"
    if options.command == "data":
        from engine.demo.data import make_data

        make_data(data, pictures=options.pictures, processes=options.threads)
    elif options.command == "project":
        from engine.demo.project import write_project

        write_project(options.folder)
    elif options.command == "cases":
        from engine.demo.case_options import run_cases

        return run_cases(options)
    elif options.command == "tokenizer":
        from engine.demo.tokenizer import write_tokenizer

        write_tokenizer(options.work / "tokenizer")
    else:
        import torch

        torch.set_num_threads(options.threads)
        _run_torch(options, data)
    return 0


def _run_torch(options: argparse.Namespace, data: Path) -> None:
    if options.command == "vae":
        from engine.demo.vae_stage import train_vae, vae_plan

        train_vae(data, options.work, vae_plan(options.steps, options.rate), options.until)
    elif options.command == "unet":
        from engine.demo.unet_stage import train_unet, unet_plan

        train_unet(data, options.work, unet_plan(options.steps, options.rate), options.until)
    elif options.command == "assemble":
        from engine.demo.assemble import assemble

        print(assemble(data, options.work, options.base))
    elif options.command == "sheet":
        from engine.demo.assemble import caption_sheet
        from engine.demo.sheets import save_sheet

        save_sheet(options.out, caption_sheet(options.base, options.seed, labelled=not options.blind))
    else:
        from engine.demo.card import write_card

        write_card(options.work, options.base, options.named, options.reader, options.machine)


if __name__ == "__main__":
    sys.exit(main())
