"""Dataset cards: what there is to know of each data set before it is used. The one source of docs/data.md's table, the
paper's table, `whatmoves data info` and Croissant cards.

Nothing of a data kind is imported here, and no kind imports this: to edit a card makes no data again.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

NOT_STATED = "not stated"
OWNERS = "its owner's"


class Card(NamedTuple):
    """One data set. `what`, `splits` and `flaws` stand in the paper too, where no number is typed: they hold none.

    `licence` is an SPDX identifier, or words where there is none; `citations` are keys of paper/references.bib.
    """

    what: str
    source: str
    licence: str
    licence_note: str
    citations: tuple[str, ...]
    size: str
    splits: str
    checksums: tuple[str, ...]
    conventions: str
    flaws: str

    @property
    def spdx(self) -> bool:
        """Whether the licence is an SPDX identifier."""
        return " " not in self.licence


IN_RECEIPT = "those of the stored splits stand in the data set's receipt"

CARDS: dict[str, Card] = {
    "moving_digits": Card(
        what="Handwritten digits fly straight over a black square and bounce off its walls; made by this program",
        source="scikit-learn's copy of https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        licence="CC-BY-4.0",
        licence_note="of the digits",
        citations=("alpaydin1998optical", "srivastava2015unsupervised"),
        size="1,797 digits of 8×8 pixels by 13 writers; clips as the study says",
        splits="Each split has digits and random streams of its own; training clips are drawn fresh",
        checksums=(
            "digits.csv.gz: sha256 09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
            IN_RECEIPT,
        ),
        conventions="digits enlarged to look like MNIST, of one size or each of its own; grey, on black; where they "
        "overlap, the brighter pixel",
        flaws="Few writers, and digits enlarged from very small scans: numbers are not comparable with those on MNIST",
    ),
    "moving_digits, MNIST": Card(
        what="The same motion with the digits of MNIST; made by this program",
        source="http://yann.lecun.com/exdb/mnist/, or torchvision's mirrors",
        licence="CC-BY-SA-3.0",
        licence_note="as the documentation of Keras has it; on other mirrors MIT, and on the authors' page none",
        citations=("lecun1998gradient", "srivastava2015unsupervised"),
        size="60,000 and 10,000 digits of 28×28 pixels; clips as the study says",
        splits="Test digits are those of MNIST's test file, by other writers; each split has random streams of its own",
        checksums=(
            "train-images-idx3-ubyte.gz: md5 f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz: md5 d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz: md5 9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz: md5 ec29112dd5afa0611ce80d1b7f02629c",
            IN_RECEIPT,
        ),
        conventions="validation digits are the last twelfth of the training file; else as with UCI's digits",
        flaws="Drawn anew, so no number on it can be put beside one on the published clips of Moving MNIST",
    ),
    "moving_mnist": Card(
        what="The published test clips of Moving MNIST: a pair of MNIST's digits, moving",
        source="http://www.cs.toronto.edu/~nitish/unsupervised_video/mnist_test_seq.npy",
        licence=NOT_STATED,
        licence_note="neither on its page nor by libraries that fetch it",
        citations=("srivastava2015unsupervised",),
        size="10,000 clips of 20 frames, 64×64 pixels; 819,200,096 bytes",
        splits="The file is one test part; here whole clips, by their place in it, are training, validation or test",
        checksums=(
            "mnist_test_seq.npy: sha256 c2a3e8d3939c001ab77bf543f130157424efa486bb4d0974d2cebb773b13f8b3",
            "mnist_test_seq.npy: md5 be083ec986bfe91a449d63653c411eb2",
        ),
        conventions="frames first in the file, `[20, 10000, 64, 64]`; 10 frames given, 10 predicted; errors are mostly "
        "sums over a frame",
        flaws="Which digit flies in which clip is not documented, so the parts may share handwritten digits; "
        "everyone splits the file otherwise",
    ),
    "push_world": Card(
        what="Seen from above, an effector pushes coloured objects about on a table, told by commands; "
        "made by this program, in the schema of BAIR",
        source="this program",
        licence="MIT",
        licence_note="as the program",
        citations=("ebert2017self",),
        size="as the study says; without settings 256 clips a split, 30 frames, 64×64 pixels, colour",
        splits="Each split has random streams of its own; a further test split has shapes and colours never shown",
        checksums=(IN_RECEIPT,),
        conventions="4 commands in −1 … 1 (right, down, up, open), 3 places in sides of the table; the command of "
        "frame t leads to frame t + 1",
        flaws="Simpler than a robot: no number on it can be held against one on BAIR's set; "
        "commands follow no plan, unlike a person's",
    ),
    "bair": Card(
        what="Robot pushing: an arm in a bin of things, with its commands and the places of its gripper",
        source="http://rail.eecs.berkeley.edu/datasets/bair_robot_pushing_dataset_v0.tar",
        licence=NOT_STATED,
        licence_note="neither in the archive nor in the catalogue of tensorflow-datasets",
        citations=("ebert2017self",),
        size="43,264 and 256 trajectories of 30 frames, 64×64 pixels, colour, two cameras; 32,274,964,480 bytes",
        splits="The test part is the set's own; validation is whole trajectories of the training part, by a seed",
        checksums=(
            "bair_robot_pushing_dataset_v0.tar: sha256 "
            "c6f8d164ab2be07174ef597e3e070d7466f3142caddc467b6af119b9458cd9cd",
        ),
        conventions="camera aux1 and the first frames of a trajectory; 2 frames given, 10 or 28 predicted; the action "
        "of frame t leads to frame t + 1",
        flaws="Units of actions and places are not documented; trajectories recorded after each other show the same "
        "things, so validation flatters; the test part is small",
    ),
    "recordings, sample drive": Card(
        what="A toy car is driven about a small land, seen by a camera that follows it, with the gamepad's sticks; "
        "made by this program, in the format of tinyDreams",
        source="this program",
        licence="MIT",
        licence_note="as the program",
        citations=("nikims2025tinydreams",),
        size="as the study says; without settings 24 sessions of 150 frames, 32×32 pixels, colour",
        splits="Whole sessions are for training, validation or test",
        checksums=(IN_RECEIPT,),
        conventions="controls have mean 0 and deviation 1 over training sessions; those of frame t lead to frame t + 1",
        flaws="A drawn land, simpler than any camera's picture; some frames are left out on purpose, as recorders do",
    ),
    "recordings": Card(
        what="A recording of one's own: pictures and a log of controls, of any game or robot",
        source="a folder; the format is in docs/recordings.md",
        licence=OWNERS,
        licence_note="",
        citations=("nikims2025tinydreams",),
        size="as recorded; frames are made square",
        splits="Whole sessions are for training, validation or test",
        checksums=("logs and pictures: in the data set's receipt",),
        conventions="controls have mean 0 and deviation 1 over training sessions; those of frame t lead to frame t + 1",
        flaws="What was wrong with the log was skipped and is told in the data set's report of problems; "
        "training clips overlap",
    ),
    "video_folder": Card(
        what="Clips of one's own: video files or folders of pictures",
        source="a folder",
        licence=OWNERS,
        licence_note="",
        citations=(),
        size="as filmed; of each frame the middle square is kept",
        splits="Whole videos are for training, validation or test",
        checksums=("files: in the data set's receipt",),
        conventions="frames as filmed unless a rate is set; actions are read from a table beside each clip",
        flaws="No factors are known, so predictions are measured and codes are not; training clips overlap",
    ),
}
"""Every card by its name: the data kind, and after a comma what the kind is made of."""


def card_name(kind: str, options: Mapping[str, Any]) -> str | None:
    """The name of the card of a data set; None for a kind that has none, such as one from elsewhere."""
    if kind == "moving_digits" and options.get("digit_bank") == "mnist":
        return "moving_digits, MNIST"
    if kind == "recordings" and options.get("folder") is None:
        return "recordings, sample drive"
    return kind if kind in CARDS else None


def card_of(kind: str, options: Mapping[str, Any]) -> Card | None:
    """The card of a data set of that kind with these options, if there is one."""
    name = card_name(kind, options)
    return None if name is None else CARDS[name]
