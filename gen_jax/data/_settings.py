"""Settings that data sets share."""
from gen_jax.settings import POSITIVE, Must, Setting, one_of, placeholder

MAX_SIDE = 4096  # pixels of a side that images are brought to

COMMON = {  # what gen_jax.data.load does with any data set
    "classes": Setting("", 'names or indices, comma-separated: keep only these; "": all'),
    "num_train": Setting(placeholder(int), "at most so many training examples; unset: all", POSITIVE),
    "num_test": Setting(placeholder(int), "at most so many test examples; unset: all", POSITIVE),
    "cache": Setting(True, "keep decoded data as arrays on disk"),
    "cache_dir": Setting(placeholder(str), "where; unset: $XDG_CACHE_HOME/gen_jax or ~/.cache/gen_jax"),
}

IMAGES = {  # what it does with images
    "binarize": Setting(False, "draw every pixel once, 0 or 255 with its grey value's probability (\"fixed "
                               "binarisation\")"),
}

PATH = {"path": Setting(placeholder(str), "where the data are")}

TEST_FRACTION = {"test_fraction": Setting(
    0.2, "share held out where the source has no test split of its own",
    Must(lambda fraction: 0 < fraction < 1, "between 0 and 1"))}

FORM = {  # of pictures that are decoded
    "size": Setting((), "(height, width) in pixels that images are brought to; (): as they are",
                    Must(lambda size: len(size) in (0, 2) and all(0 < n <= MAX_SIDE for n in size),
                         f"() or (height, width), each from 1 to {MAX_SIDE}"), item=int),
    "fit": Setting("refuse", "images of another size: resize (stretch), crop (scale, then centre), refuse",
                   one_of("resize", "crop", "refuse")),
    "channels": Setting(0, "1 grey, 3 RGB, 4 RGBA: images are converted; 0: as they are",
                        Must(lambda channels: channels in (0, 1, 3, 4), "0, 1, 3 or 4")),
}
