"""A folder of images, as it is found on a disk."""
import os
import shutil

import numpy as np
import pytest
from _loading import both, config, refusal, save
from PIL import Image

from gen_jax import data
from gen_jax.errors import UserError


def test_folder_with_classes_is_cut_by_class(tmp_path):
    for index in range(10):
        save(tmp_path / "ant" / f"{index}.png", value=index)
        save(tmp_path / "bee" / "deeper" / f"{index}.PNG", value=100 + index)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "ant" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "ant" / "notes.txt").write_text("x")
    train, test = both(name="folder", path=tmp_path)
    assert train.classes == test.classes == ("ant", "bee")
    assert np.bincount(train.labels).tolist() == [8, 8] and np.bincount(test.labels).tolist() == [2, 2]
    assert data.duplicates(train, test) == 0
    assert ((train.x[:, 0, 0, 0] >= 100) == train.labels).all()


def test_folder_with_its_own_parts_numbers_classes_alike(tmp_path):
    save(tmp_path / "train" / "bee" / "a.png")
    save(tmp_path / "test" / "ant" / "a.png")
    save(tmp_path / "test" / "bee" / "a.png")
    train, test = both(name="folder", path=tmp_path)
    assert train.classes == test.classes == ("ant", "bee")
    assert train.labels.tolist() == [1] and test.labels.tolist() == [0, 1]
    shutil.rmtree(tmp_path / "test")
    assert f"data.path={tmp_path / 'train'}" in refusal(name="folder", path=tmp_path)


def test_folder_reads_every_mode(tmp_path):
    wide = np.full((4, 6), 257 * 200, np.uint16)
    rgba = Image.fromarray(np.full((4, 6, 4), (10, 20, 30, 0), np.uint8))
    pictures = {"a_grey": Image.fromarray(np.full((4, 6), 200, np.uint8)), "b_wide": Image.fromarray(wide),
                "c_bits": Image.new("1", (6, 4), 1), "d_palette": Image.new("RGB", (6, 4), "red").quantize(),
                "e_rgba": rgba, "f_grey_alpha": Image.new("LA", (6, 4), (50, 255))}
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    Image.new("CMYK", (6, 4)).save(tmp_path / "g_cmyk.jpg")
    Image.new("P", (6, 4)).save(tmp_path / "h_moving.gif", save_all=True, append_images=[Image.new("P", (6, 4), 9)])
    hp = {"name": "folder", "path": tmp_path, "test_fraction": 0.01}
    grey, colour, alpha = (data.load(config(**hp, channels=channels), "train") for channels in (1, 3, 4))
    assert grey.x[:, 0, 0, 0].tolist() == [200, 200, 255, 76, 255, 50, 255, 0]
    assert colour.x[3, 0, 0].tolist() == [255, 0, 0] and colour.x[4, 0, 0].tolist() == [255, 255, 255]
    assert alpha.x[4, 0, 0].tolist() == [10, 20, 30, 0] and colour.labels is None and colour.classes == ()
    assert "a_grey.png is 4x6x1 and" in refusal(**hp)


def test_folder_fits_sizes_as_asked(tmp_path):
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 20:60] = 255  # the middle square
    Image.fromarray(picture).save(tmp_path / "a.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # taken with the camera on its side
    Image.fromarray(picture).rotate(90, expand=True).save(tmp_path / "b.png", exif=turned)
    hp = {"name": "folder", "path": tmp_path, "test_fraction": 0.01, "size": (20, 20)}
    assert "a.png is 40x80" in refusal(**hp)
    assert data.load(config(**hp | {"size": ()}), "train").x.shape == (2, 40, 80, 3)
    cropped = data.load(config(**hp, fit="crop"), "train").x
    assert cropped.shape == (2, 20, 20, 3) and cropped.min() > 230
    stretched = data.load(config(**hp, fit="resize"), "train").x
    assert stretched.shape == (2, 20, 20, 3) and stretched[0, 0, 0, 0] == 0 and stretched[0, 0, 10, 0] == 255


def test_folder_says_what_is_wrong(tmp_path):
    hp = {"name": "folder", "path": tmp_path}
    assert "data.path" in refusal(name="folder")
    assert "no such folder" in refusal(name="folder", path=tmp_path / "nowhere")
    assert "no images" in refusal(**hp)
    save(tmp_path / "a" / "good.png")
    save(tmp_path / "b" / "good.jpg", shape=(40, 40, 3))
    assert "good.png is 4x6x3 and" in refusal(**hp)
    assert "has no test images" in refusal("test", **hp)
    broken = tmp_path / "b" / "good.jpg"
    broken.write_bytes(broken.read_bytes()[:-300])
    assert f"{broken} cannot be read" in refusal(**hp)
    broken.write_bytes(b"")
    assert f"{broken} cannot be read" in refusal(**hp)
    save(tmp_path / "loose.png")
    assert "loose.png lies beside" in refusal(**hp)


def test_folder_refuses_loops_and_what_is_no_file(tmp_path):
    for name in "ab":
        save(tmp_path / "images" / name / "0.png")
    hp = {"name": "folder", "path": tmp_path / "images", "cache": True, "cache_dir": tmp_path / "cache"}
    for target in ("..", "."):
        loop = tmp_path / "images" / "a" / "loop"
        loop.symlink_to(target)
        assert f"{loop} is a link to a folder that it lies in" in refusal(**hp)
        loop.unlink()
    (tmp_path / "images" / "c").symlink_to("b")  # no loop: a class of its own
    assert both(**hp)[0].classes == ("a", "b", "c")
    fifo, link = tmp_path / "images" / "a" / "1.png", tmp_path / "images" / "a" / "1.jpg"
    os.mkfifo(fifo)
    with pytest.raises(UserError, match=f"{fifo} cannot be read as an image .it is no file"):
        both(**hp)
    for name, each in (("npz", {}), ("points", {"shape": "drawing"})):
        assert f"{fifo} is no file" in refusal(name=name, path=fifo, **each)
    fifo.unlink()
    for target in ("1.jpg", "nowhere", "/dev/zero"):
        link.symlink_to(target)
        with pytest.raises(UserError, match=str(link)):
            both(**hp)
        link.unlink()


def test_folder_takes_names_that_are_not_utf_8(tmp_path):
    for name in (b"caf\xe9", b"a"):
        for index in range(5):
            save(tmp_path / os.fsdecode(name) / os.fsdecode(b"\xff%d.png" % index))
    train, test = both(name="folder", path=tmp_path, cache=True, cache_dir=tmp_path / os.fsdecode(b"\xfe"))
    assert train.classes == ("a", "caf\\xe9")
    assert data.fingerprint(train) == data.fingerprint(both(name="folder", path=tmp_path)[0])
