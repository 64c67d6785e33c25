"""One name for each codec, whatever its container calls it; the names are those of FFmpeg."""

from __future__ import annotations

from tui.scan.normalize.values import read_text

_WAYS_OF_WRITING = {
    "h264": "avc1 avc2 avc3 avc4 h264 x264 davc v_mpeg4/iso/avc",
    "hevc": "hvc1 hev1 hevc h265 x265 dvh1 dvhe v_mpegh/iso/hevc",
    "av1": "av01 v_av1",
    "vp6": "vp60 vp61 vp62 vp6f",
    "vp8": "vp08 vp80 v_vp8",
    "vp9": "vp09 vp90 v_vp9",
    "mpeg1": "mp1v mpg1 v_mpeg1",
    "mpeg2": "mp2v mpg2 xdv1 xdv2 xdv3 xdv5 xdv6 hdv1 hdv2 hdv3 m2v1 v_mpeg2",
    "mpeg4": "mp4v xvid divx dx50 fmp4 m4s2 v_mpeg4/iso/sp v_mpeg4/iso/asp v_mpeg4/iso/ap",
    "msmpeg4": "mp41 mp42 mp43 div3 div4 mpg4 v_mpeg4/ms/v3",
    "h263": "s263 h263 u263",
    "mjpeg": "jpeg mjpg mjpa mjpb dmb1 avdj v_mjpeg",
    "prores": "apch apcn apcs apco ap4h ap4x aprn aprh v_prores",
    "dnxhd": "avdn avdh",
    "cineform": "cfhd",
    "dv": "dvc dvcp dvsd dvpp dv5n dv5p dvh2 dvh3 dvh5 dvh6 dvhp dvhq",
    "theora": "theo v_theora",
    "vc1": "wvc1 vc-1",
    "wmv3": "wmv3",
    "png": "png mpng",
    "aac": "mp4a aac a_aac a_aac/mpeg4/lc a_aac/mpeg2/lc a_aac/mpeg4/lc/sbr",
    "mp3": ".mp3 mp3 a_mpeg/l3",
    "mp2": "mp2 a_mpeg/l2",
    "mp1": "mp1 a_mpeg/l1",
    "ac3": "ac-3 ac3 a_ac3",
    "eac3": "ec-3 eac3 a_eac3",
    "dts": "dtsc dtsh dtsl dtse dts a_dts",
    "truehd": "mlpa a_truehd",
    "alac": "alac a_alac",
    "flac": "flac a_flac",
    "opus": "opus a_opus",
    "vorbis": "vorbis a_vorbis",
    "amr": "samr sawb amr",
    "pcm": "sowt twos lpcm in24 in32 fl32 fl64 raw ipcm fpcm a_pcm/int/lit a_pcm/int/big a_pcm/float/ieee",
    "ulaw": "ulaw",
    "alaw": "alaw",
}
_NAMES = {way: name for name, ways in _WAYS_OF_WRITING.items() for way in ways.split()}
_BEGINNINGS = (  # of names in words, as ASF has them
    ("windows media audio", "wma"),
    ("windows media video 9 advanced", "vc1"),
    ("windows media video 9", "wmv3"),
    ("windows media video v8", "wmv2"),
    ("windows media video 8", "wmv2"),
    ("windows media video v7", "wmv1"),
    ("windows media video 7", "wmv1"),
    ("microsoft mpeg-4", "msmpeg4"),
)
_LONGEST = 40
_NO_CODECS = frozenset(("none", "text", "tmcd", "enca", "encv", "mp4s", "drms", "(none)", "0", "0x00000000"))


def name_codec(value: object) -> str | None:
    """Return the name of the codec that `value` (`avc1`, `V_MPEG4/ISO/AVC`, `XVID`) means, in lower case.

    What is not known comes back as it is, in lower case; what means an encrypted or a data stream is None.
    """
    text = read_text(value, _LONGEST)
    if text is None:
        return None
    text = text.lower()
    for beginning, name in _BEGINNINGS:
        if text.startswith(beginning):
            return name
    return None if text in _NO_CODECS else _NAMES.get(text, text)
