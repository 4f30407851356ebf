#!/bin/bash
# Guess: a film of 8-bit RGB frames has the same colours at every size, and `-colorspace bt709 -color_primaries bt709
#   -color_trc bt709` says which.
# True: ffmpeg writes BT.601 numbers without a note at every height, and players guess BT.709 from 720 lines on: 222 44 52
#   is shown as 236 62 52. The three options convert the pixels and note the matrix alone: primaries and transfer stay
#   unspecified, as the frames that arrive are. `setparams` in the filter, after `scale`, notes all three.
# Versions: ffmpeg n9.0.2 (imageio-ffmpeg 0.8.1), read by PyAV 18.1.0; shown so by Chromium 156. Source: run.
# What we do: films are converted by `scale` and noted by `setparams`.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import av, imageio_ffmpeg, numpy as np

frame = np.full((742, 742, 3), (222, 44, 52), np.uint8)
names = {1: "bt709", 2: "unspecified"}
bt709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
both = "scale=out_color_matrix=bt709:out_range=tv,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version(), "742 px high")
seen = []
for road, options in (("no options", ()), ("three options", bt709), ("scale and setparams", ("-vf", both))):
    writer = imageio_ffmpeg.write_frames(
        "film.mp4", frame.shape[1::-1], fps=8, macro_block_size=2, ffmpeg_log_level="error", output_params=[*options]
    )
    writer.send(None)
    writer.send(frame)
    writer.close()
    with av.open("film.mp4") as film:
        context = film.streams.video[0].codec_context
        notes = [names[int(note)] for note in (context.colorspace, context.color_primaries, context.color_trc)]
        luma = int(next(film.decode(video=0)).to_ndarray()[0, 0])
    seen.append((luma, *notes))
    print(f"{road}: luma {luma}, matrix {notes[0]}, primaries {notes[1]}, transfer {notes[2]}")
(plain, *_), (options, *_), (filtered, *_) = seen
assert seen[0][1:] == ("unspecified",) * 3 and seen[1][1:] == ("bt709", "unspecified", "unspecified")
assert seen[2][1:] == ("bt709",) * 3 and abs(plain - 100) < 3 and abs(options - 87) < 3 and abs(filtered - 87) < 3
EOF
