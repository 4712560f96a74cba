"""A slow attacker that tries every whole figure: what the quick one is held to."""

from services.reporting.domain.forms.identity import Identity


def equations(reports):
    """Each as signed cells that add up to nought, or to nought at most; a cell is named by its place."""
    found = []
    for report in reports:
        codes = [column.code for column in report.columns]
        single = all(row.own for row in report.rows)

        def place(unit, own, code, single=single, form=report.form):
            return form, unit, own and not single, code

        lines = [(report.unit, False), *((row.unit, row.own) for row in report.rows)]
        for text in report.identities:
            identity = Identity.parse(text)
            for relation, left, right in zip(
                identity.relations, identity.sums, identity.sums[1:], strict=False
            ):
                for unit, own in lines:
                    terms = [(1, place(unit, own, c)) for c in left]
                    terms += [(-1, place(unit, own, c)) for c in right]
                    found.append((relation == "=", terms))
        if not single:
            for code in codes:
                terms = [(1, place(report.unit, False, code))]
                terms += [(-1, place(row.unit, row.own, code)) for row in report.rows]
                found.append((True, terms))
    return found


def cells(reports):
    """Figures by place; None where withheld."""
    found = {}
    for report in reports:
        single = all(row.own for row in report.rows)
        lines = [(report.unit, False, report.totals)]
        lines += [(row.unit, row.own and not single, row.cells) for row in report.rows]
        for unit, own, figures in lines:
            for column, figure in zip(report.columns, figures, strict=True):
                key = report.form, unit, own, column.code
                found[key] = figure if figure is not None else found.get(key)
    return found


def ranges(reports, most):  # noqa: C901
    """Least and greatest of each withheld cell among all whole figures from 0 to `most`."""
    figures = cells(reports)
    said = {tuple(sorted(terms)): (equal, terms) for equal, terms in equations(reports)}
    hidden = [place for place, figure in figures.items() if figure is None]
    seen = {place: [most + 1, -1] for place in hidden}
    known = {place: figure for place, figure in figures.items() if figure is not None}
    of_place = {}
    for equation in said.values():
        for _, place in equation[1]:
            of_place.setdefault(place, []).append(equation)

    def settle(known, changed):
        """What follows one by one; nothing if that cannot be."""
        todo = list(changed)
        while todo:
            for equal, terms in of_place.get(todo.pop(), ()):
                unknown = [(sign, place) for sign, place in terms if place not in known]
                rest = sum(sign * known[place] for sign, place in terms if place in known)
                if not unknown:
                    if rest > 0 or (equal and rest):
                        return False
                elif equal and len(unknown) == 1:
                    sign, place = unknown[0]
                    known[place] = -rest * sign
                    if not 0 <= known[place] <= most:
                        return False
                    todo.append(place)
                elif all(sign > 0 for sign, _ in unknown) and rest > 0:
                    return False
        return True

    def walk(known):
        left = next((place for place in hidden if place not in known), None)
        if left is None:
            for place in hidden:
                low, high = seen[place]
                seen[place] = [min(low, known[place]), max(high, known[place])]
            return
        for figure in range(most + 1):
            trial = {**known, left: figure}
            if settle(trial, [left]):
                walk(trial)

    assert settle(known, list(known))
    walk(known)
    return {place: tuple(bounds) for place, bounds in seen.items()}
