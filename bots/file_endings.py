"""How the names of pictures and clips end, on every platform; what a file is its bytes decide."""

ENDINGS = frozenset(
    (
        *(".apng", ".avif", ".bmp", ".dib", ".gif", ".heic", ".heics", ".heif", ".heifs", ".hif", ".jfi", ".jfif"),
        *(".jif", ".jpe", ".jpeg", ".jpg", ".jxl", ".png", ".tif", ".tiff", ".webp"),
        *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv"),
        *(".qt", ".webm", ".wmv"),
    )
)
"""For files whose type is missing or wrong; Python's own table of types lacks half of them."""
