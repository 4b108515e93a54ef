/* Tables in plain text: columns on their decimal points, between rules of hyphens. */
#include "report/text_table.h"

#include <string.h>

#include "report/grid.h"
#include "report/lines.h"
#include "report/utf8.h"

enum { GAP = 2, LONGEST_ROW = 6 }; /* a single row of more columns is printed as a list */

static size_t width_of(const char *text)
{
    return bd_utf8_width(text, strlen(text));
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* How a column of the grid stands on the page. */
typedef struct layout {
    size_t width;
    size_t fraction; /* columns from the decimal point on; 0 when no number has any */
} layout;

static size_t fraction_of(const char *cell)
{
    const char *point = strchr(cell, '.');
    return point == NULL ? 0 : strlen(point);
}

static layout lay_out(const bd_grid_column *column, size_t n_rows)
{
    size_t whole = 0, fraction = 0, other = width_of(column->heading);
    for (size_t i = 0; i < n_rows; i++) {
        const char *cell = column->cells[i];
        if (column->on_point[i]) {
            fraction = larger(fraction, fraction_of(cell));
            whole = larger(whole, strlen(cell) - fraction_of(cell));
        } else {
            other = larger(other, width_of(cell));
        }
    }
    return (layout){.width = larger(whole + fraction, other), .fraction = fraction};
}

/* A line under construction: spaces are owed until something follows them, so that none ends a line. */
typedef struct line {
    FILE *stream;
    size_t owed;
} line;

static void put(line *out, size_t before, const char *text, size_t after)
{
    out->owed += before;
    if (*text != '\0') {
        bd_lines_fill(' ', out->owed, out->stream);
        fputs(text, out->stream);
        out->owed = 0;
    }
    out->owed += after;
}

static void put_cell(line *out, const bd_grid_column *column, layout at, size_t row)
{
    const char *cell = column->cells[row];
    const size_t room = at.width - width_of(cell);
    const size_t after = column->is_text ? room : column->on_point[row] ? at.fraction - fraction_of(cell) : 0;
    put(out, room - after, cell, after);
}

static void put_heading(line *out, const bd_grid_column *column, layout at)
{
    const size_t room = at.width - width_of(column->heading);
    put(out, column->is_text ? 0 : room, column->heading, column->is_text ? room : 0);
}

/* The columns of one panel: the first `n_stub` of the grid, then those from `from` up to `to`. */
typedef struct panel {
    const bd_grid *grid;
    const layout *layouts;
    size_t n_stub, from, to;
} panel;

enum { HEADINGS = -1 };

static void write_line(const panel *p, ptrdiff_t row, FILE *stream)
{
    line out = {.stream = stream};
    for (size_t j = 0; j < p->to; j = j + 1 == p->n_stub ? larger(p->from, p->n_stub) : j + 1) {
        const bd_grid_column *column = &p->grid->columns[j];
        if (j > 0)
            out.owed += GAP;
        if (row == HEADINGS)
            put_heading(&out, column, p->layouts[j]);
        else
            put_cell(&out, column, p->layouts[j], (size_t)row);
    }
    fputc('\n', stream);
}

static void write_rule(size_t width, FILE *stream)
{
    bd_lines_fill('-', width, stream);
    fputc('\n', stream);
}

/* A later panel leaves out the rows that have nothing in it. */
static bool has_any(const panel *p, size_t row)
{
    bool any = p->from == p->n_stub;
    for (size_t j = p->from; j < p->to; j++)
        any = any || *p->grid->columns[j].cells[row] != '\0';
    return any;
}

static void write_panel(const panel *p, size_t width, FILE *stream)
{
    write_rule(width, stream);
    write_line(p, HEADINGS, stream);
    write_rule(width, stream);
    for (size_t i = 0; i < p->grid->n_rows; i++)
        if (has_any(p, i))
            write_line(p, (ptrdiff_t)i, stream);
    write_rule(width, stream);
}

/* Leading columns of text are repeated in every panel, as long as each of the others fits beside them. */
static size_t choose_stub(const bd_grid *grid, const layout *layouts, size_t width, size_t *stub_width)
{
    size_t n = 1, taken = layouts[0].width, widest = 0;
    for (size_t j = 1; j < grid->n_columns; j++)
        widest = grid->columns[j].is_text ? widest : larger(widest, layouts[j].width);
    while (n < grid->n_columns && grid->columns[n].is_text && taken + layouts[n].width + widest + 2 * GAP <= width)
        taken += GAP + layouts[n++].width;
    *stub_width = taken;
    return n;
}

static void write_panels(const bd_grid *grid, const layout *layouts, size_t width, FILE *stream)
{
    panel p = {.grid = grid, .layouts = layouts};
    size_t stub_width;
    p.n_stub = choose_stub(grid, layouts, width, &stub_width);
    p.to = p.n_stub;
    do {
        size_t taken = stub_width;
        p.from = p.to;
        while (p.to < grid->n_columns && (p.to == p.from || taken + GAP + layouts[p.to].width <= width))
            taken += GAP + layouts[p.to++].width;
        if (p.from > p.n_stub)
            fputc('\n', stream);
        write_panel(&p, taken, stream);
    } while (p.to < grid->n_columns);
}

static bd_status write_as_list(const bd_grid *grid, size_t width, bd_arena *scratch, FILE *stream)
{
    bd_text_entry *entries;
    BD_NEW(scratch, entries, grid->n_columns);
    for (size_t j = 0; j < grid->n_columns; j++)
        entries[j] = (bd_text_entry){grid->columns[j].heading, grid->columns[j].cells[0]};
    bd_text_list_write(entries, grid->n_columns, width, stream);
    return BD_OK;
}

bd_status bd_text_table_write(const bd_document_rows *table, size_t width, bd_arena *scratch, FILE *stream)
{
    const bd_grid *grid = NULL;
    const char *title = NULL;
    layout *layouts;
    BD_TRY(bd_utf8_clean(table->title, BD_BLANK_CONTROLS, scratch, &title));
    if (*title != '\0')
        bd_lines_write(title, 0, 0, width, stream);
    BD_TRY(bd_grid_of(table, scratch, &grid));
    if (grid->n_columns == 0)
        return BD_OK;
    if (grid->n_rows == 1 && grid->n_columns > LONGEST_ROW)
        return write_as_list(grid, width, scratch, stream);
    BD_NEW(scratch, layouts, grid->n_columns);
    for (size_t j = 0; j < grid->n_columns; j++)
        layouts[j] = lay_out(&grid->columns[j], grid->n_rows);
    write_panels(grid, layouts, width, stream);
    return BD_OK;
}

void bd_text_list_write(const bd_text_entry *entries, size_t n, size_t width, FILE *stream)
{
    size_t widest = 0;
    for (size_t i = 0; i < n; i++)
        widest = larger(widest, width_of(entries[i].heading));
    const size_t indent = GAP + widest + GAP;
    for (size_t i = 0; i < n; i++) {
        bd_lines_fill(' ', GAP, stream);
        fputs(entries[i].heading, stream);
        if (*entries[i].value != '\0')
            bd_lines_fill(' ', indent - GAP - width_of(entries[i].heading), stream);
        bd_lines_write(entries[i].value, indent, indent, width, stream);
    }
}
