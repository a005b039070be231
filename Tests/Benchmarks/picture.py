"""Charts as SVG, drawn by hand: nothing to install."""

import math
from html import escape

COLOURS = ["#0a7d5a", "#5ab99a", "#c2410c", "#2563eb", "#7c3aed", "#b45309", "#64748b", "#94a3b8", "#be185d", "#0e7490"]
WIDTH, GAP, MARGIN = 420, 24, 16


def bars(caption, panels):
    """Panels of horizontal bars: (title, [(name, value or None)])."""
    height = 40 + 22 * max((len(rows) for _, rows in panels), default=0)
    return sheet(caption, [bar_panel(title, rows) for title, rows in panels], height)


def bar_panel(title, rows):
    parts = [text(0, 14, title, weight="bold")]
    most = max((value for _, value in rows if value), default=1)
    for index, (name, value) in enumerate(rows):
        y = 28 + 22 * index
        parts.append(text(0, y + 13, name))
        if value is None:
            parts.append(text(150, y + 13, "–"))
            continue
        length = max(1, 210 * max(value, 0) / most)
        parts.append(f'<rect x="150" y="{y}" width="{length:.1f}" height="16" fill="{COLOURS[index % len(COLOURS)]}"/>')
        parts.append(text(156 + length, y + 13, short(value)))
    return "".join(parts)


def lines(axis, panels):
    """Panels of lines over a logarithmic count, both axes logarithmic: (title, [(name, [(count, value)])])."""
    return sheet(f"Both axes logarithmic; across: {axis.lower()}", [line_panel(*panel) for panel in panels], 300)


def line_panel(title, series):
    parts = [text(0, 14, title, weight="bold")]
    points = [(count, value) for _, row in series for count, value in row if value and value > 0]
    if not points:
        return "".join(parts) + text(0, 40, "no figures")
    left, right = spread([count for count, _ in points])
    low, high = spread([value for _, value in points])

    def place(count, value):
        x = 50 + 340 * (math.log(count) - left) / (right - left)
        y = 210 - 180 * (math.log(value) - low) / (high - low)
        return x, y

    parts.append('<path d="M50 30V210H390" fill="none" stroke="#94a3b8"/>')
    for value in (math.exp(low), math.exp(high)):
        parts.append(text(0, place(math.exp(left), value)[1] + 4, short(value)))
    for count in sorted({count for count, _ in points}):
        parts.append(text(place(count, math.exp(low))[0] - 8, 226, short(count)))
    for index, (name, row) in enumerate(series):
        colour = COLOURS[index % len(COLOURS)]
        placed = [place(count, value) for count, value in row if value and value > 0]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        x, y = 50 + 180 * (index % 2), 246 + 16 * (index // 2)
        parts.append(f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        parts.append(text(x + 16, y, name))
    return "".join(parts)


def spread(values):
    low, high = math.log(min(values)), math.log(max(values))
    return (low - 0.5, high + 0.5) if high - low < 0.1 else (low, high)


def sheet(caption, panels, height):
    across = 2
    down = math.ceil(len(panels) / across)
    width = across * (WIDTH + GAP) + 2 * MARGIN - GAP
    total = 30 + down * (height + GAP) + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" height="{total}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{width}" height="{total}" fill="white"/>',
        text(MARGIN, 22, caption),
    ]
    for index, panel in enumerate(panels):
        x = MARGIN + (index % across) * (WIDTH + GAP)
        y = 36 + (index // across) * (height + GAP)
        parts.append(f'<g transform="translate({x},{y})">{panel}</g>')
    return "\n".join([*parts, "</svg>", ""])


def text(x, y, words, weight="normal"):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}">{escape(str(words))}</text>'


def short(value):
    if value >= 1000:
        return f"{value / 1000:.1f}k"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
