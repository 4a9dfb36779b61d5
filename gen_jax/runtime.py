"""What JAX must be like, for a run to be the run that its config describes."""
import jax

from gen_jax.errors import UserError

SETTINGS = {  # of JAX, which would change every number of a run, or keep it from training
    "jax_enable_x64": False, "jax_disable_jit": False, "jax_numpy_dtype_promotion": "standard",
    "jax_default_prng_impl": "threefry2x32", "jax_threefry_partitionable": True,
}


def check() -> None:
    """UserError where JAX is set, by flags or by the environment, to what runs are not made with; or finds no device.
    """
    faults = [f"{name}={getattr(jax.config, name)}: runs are made with {wanted}; unset --{name} and {name.upper()}"
              for name, wanted in SETTINGS.items() if getattr(jax.config, name) != wanted]
    try:
        jax.devices()
    except (RuntimeError, AssertionError, ValueError) as error:  # as JAX says that a platform is not there
        reason = (str(error) or "it is not there").splitlines()[0]
        faults.append(f"jax_platforms={jax.config.jax_platforms!r}: {reason}; unset --jax_platforms and JAX_PLATFORMS")
    if faults:
        raise UserError(*faults)
