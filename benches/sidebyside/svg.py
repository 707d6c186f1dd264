"""Plots as SVG: one panel per cell, one bar per endpoint, each panel with its own scale.

Pure text in, text out; knows nothing of what the figures mean.
"""
from xml.sax.saxutils import escape

COLOURS = {"slotway": "#d9480f", "floor": "#adb5bd", "direct": "#868e96"}
OTHERS = "#4c78a8"
COLUMNS, PANEL, BAR, LABEL, VALUE, GAP = 3, 330, 16, 92, 84, 22
HEAD = 56


def panels(title, note, cells):
    """A whole plot. `cells`: [(name, [(endpoint, inner value, outer value or None, text)])]."""
    rows = [cells[at:at + COLUMNS] for at in range(0, len(cells), COLUMNS)]
    heights = [max(len(bars) for _, bars in row) * BAR + 2 * GAP for row in rows]
    parts = [_text(12, 24, title, 16, "bold"), _text(12, 42, note, 11)]
    top = HEAD
    for row, height in zip(rows, heights):
        for column, (name, bars) in enumerate(row):
            parts += _panel(12 + column * (PANEL + 16), top, name, bars)
        top += height
    return _document(COLUMNS * (PANEL + 16) + 8, top + 8, parts)


def _panel(left, top, name, bars):
    """One cell's bars: solid to the inner value, pale on to the outer one."""
    parts = [_text(left, top + 12, name, 12, "bold")]
    full = max([max(inner, outer or 0) for _, inner, outer, _ in bars] or [1]) or 1
    scale = (PANEL - LABEL - VALUE) / full
    for place, (endpoint, inner, outer, text) in enumerate(bars):
        y = top + 18 + place * BAR
        colour = COLOURS.get(endpoint, OTHERS)
        parts.append(_text(left + LABEL - 6, y + 11, endpoint, 11, anchor="end"))
        if outer is not None:
            parts.append(_bar(left + LABEL, y + 2, outer * scale, colour, 0.35))
        parts.append(_bar(left + LABEL, y + 2, inner * scale, colour, 1))
        parts.append(_text(left + LABEL + max(inner, outer or 0) * scale + 4, y + 11, text, 11))
    return parts


def lines(title, note, curves, unit):
    """Curves over a common x axis. `curves`: {name: [(x, y)]}; drawn from zero."""
    width, height, left, top = 860, 300, 70, HEAD
    points = [point for curve in curves.values() for point in curve]
    right, peak = max([x for x, _ in points] or [1]) or 1, max([y for _, y in points] or [1]) or 1
    parts = [_text(12, 24, title, 16, "bold"), _text(12, 42, note, 11)]
    for share in (0, 0.5, 1):
        y = top + height - share * height
        parts.append(f'<line x1="{left}" x2="{left + width - 160}" y1="{y}" y2="{y}" stroke="#dee2e6"/>')
        parts.append(_text(left - 6, y + 4, f"{peak * share:.4g} {unit}", 10, anchor="end"))
    for place, (name, curve) in enumerate(curves.items()):
        colour = COLOURS.get(name, ("#4c78a8", "#72b7b2", "#b279a2", "#9d755d", "#54a24b")[place % 5])
        spots = " ".join(f"{left + x / right * (width - 160):.1f},{top + height - y / peak * height:.1f}"
                         for x, y in curve)
        parts.append(f'<polyline points="{spots}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(left + width - 150, top + 14 + 16 * place, name, 12, fill=colour))
    parts.append(_text(left, top + height + 16, "0", 10))
    parts.append(_text(left + width - 160, top + height + 16, f"{right:,}", 10, anchor="end"))
    return _document(width + 20, top + height + 30, parts)


def _bar(x, y, width, colour, opacity):
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{BAR - 4}" '
            f'fill="{colour}" fill-opacity="{opacity}"/>')


def _text(x, y, text, size, weight="normal", anchor="start", fill="#212529"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
            f'fill="{fill}">{escape(text)}</text>')


def _document(width, height, parts):
    inside = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}" '
            f'viewBox="0 0 {width} {height:.0f}" font-family="system-ui, sans-serif">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n{inside}\n</svg>\n')
