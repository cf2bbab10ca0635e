"""What the families' ways of drawing share: samplers of bases that predict noise or v, and one call of a pipeline."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    UniPCMultistepScheduler,
)
from torch import Tensor

from engine.families.family import Drawing

_SIGMA_SHAPES = (
    "use_karras_sigmas",
    "use_exponential_sigmas",
    "use_beta_sigmas",
    "use_lu_lambdas",
    "use_flow_sigmas",
)


def _sampler(scheduler: Any, config: Mapping[str, Any], **settings: Any) -> Any:
    """`scheduler` with the base's noise schedule, objective and spacing; the shape of the sigmas is the sampler's own."""
    own = {key: value for key, value in config.items() if key not in _SIGMA_SHAPES}
    return scheduler.from_config(own, **settings)


NOISE_SAMPLERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "dpm++ 2m karras": partial(
        _sampler,
        DPMSolverMultistepScheduler,
        algorithm_type="dpmsolver++",
        solver_order=2,
        solver_type="midpoint",
        use_karras_sigmas=True,
    ),
    "euler a": partial(_sampler, EulerAncestralDiscreteScheduler),
    "euler": partial(_sampler, EulerDiscreteScheduler),
    # DDIM would clip x0 to [-1, 1], which is right for pixels and wrong for latents.
    "ddim": partial(_sampler, DDIMScheduler, clip_sample=False),
    "unipc": partial(_sampler, UniPCMultistepScheduler),
}


def run_pipeline(pipeline: Any, asked: Drawing, **told: Any) -> Tensor:
    """Latents, as the pipeline packs them, of what is asked; `told` are the conditions by the pipeline's own names."""
    pipeline.set_progress_bar_config(disable=True)

    def after(
        _pipeline: object, step: int, _timestep: object, tensors: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        asked.on_step(step + 1, asked.steps)
        return tensors

    latents: Tensor = pipeline(
        **told,
        num_inference_steps=asked.steps,
        width=asked.size_wh[0],
        height=asked.size_wh[1],
        generator=list(asked.generators),
        output_type="latent",
        return_dict=False,
        callback_on_step_end=after,
        callback_on_step_end_tensor_inputs=["latents"],
    )[0]
    return latents
