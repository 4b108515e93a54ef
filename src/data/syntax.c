/* A precedence climber over the text itself. */
#include "data/syntax.h"

#include <ctype.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 200, MOST_OPERATORS = 3000, UNARY_MINUS = 9, UNARY_NOT = 4, HIGHEST = 11 };

typedef struct parser {
    const syntax_source *source;
    const char *here;
    bd_arena *arena;
    int depth, n_operators;
} parser;

typedef struct operator_rule {
    const char *text, *name; /* as written, as kept */
    int precedence;
    bool right;
} operator_rule;

/* Longer ones first. */
static const operator_rule operators[] = {
    {"&&", "&", 3, false}, {"||", "|", 2, false}, {"==", "==", 5, false}, {"!=", "!=", 5, false},
    {"<=", "<=", 5, false}, {">=", ">=", 5, false}, {"~", "~", 1, false},  {"|", "|", 2, false},
    {"&", "&", 3, false},  {"<", "<", 5, false},   {">", ">", 5, false},   {"+", "+", 6, false},
    {"-", "-", 6, false},  {"*", "*", 7, false},   {"/", "/", 7, false},   {":", ":", 8, false},
    {"^", "^", 10, true},
};

bd_status syntax_error(const syntax_source *source, size_t at, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    int column = 0;
    for (size_t i = 0; i < at && source->text[i] != '\0'; i++)
        column += ((unsigned char)source->text[i] & 0xC0) != 0x80; /* UTF-8 continuation bytes take no room */
    return bd_fail(BD_EUSAGE, "%s: %s\n  %s\n  %*s^", source->what, message, source->text, column, "");
}

static size_t offset(const parser *p)
{
    return (size_t)(p->here - p->source->text);
}

static void skip_space(parser *p)
{
    while (isspace((unsigned char)*p->here))
        p->here++;
}

static bool starts_name(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

static bool in_name(char c)
{
    return starts_name(c) || isdigit((unsigned char)c);
}

static bd_status new_node(parser *p, node_kind kind, size_t at, const char *text, size_t n_children, node **out)
{
    BD_NEW(p->arena, *out, 1);
    **out = (node){.kind = kind, .at = at, .text = text, .n_children = n_children};
    if (n_children > 0)
        BD_NEW(p->arena, (*out)->children, n_children);
    return BD_OK;
}

static bd_status parse_operators(parser *p, int lowest, node **out);

/* In the C locale, whatever the caller's is. */
static bd_status parse_number(parser *p, node **out)
{
    const size_t at = offset(p);
    char *end;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return bd_fail(BD_ENOMEM, "out of memory");
    const double number = strtod_l(p->here, &end, c);
    freelocale(c);
    if (in_name(*end))
        return syntax_error(p->source, at, "a name cannot begin with a digit; put it in backquotes");
    p->here = end;
    BD_TRY(new_node(p, NODE_NUMBER, at, NULL, 0, out));
    (*out)->number = number;
    return BD_OK;
}

/* "text", 'text' or `name`. */
static bd_status parse_quoted(parser *p, node **out)
{
    const size_t at = offset(p);
    const char quote = *p->here, *start = ++p->here, *text;
    while (*p->here != quote && *p->here != '\0')
        p->here++;
    if (*p->here == '\0')
        return syntax_error(p->source, at, "this quotation mark is never closed");
    BD_TRY(bd_copy_text(p->arena, start, (size_t)(p->here - start), &text));
    p->here++;
    if (quote == '`' && text[0] == '\0')
        return syntax_error(p->source, at, "an empty name");
    return new_node(p, quote == '`' ? NODE_NAME : NODE_TEXT, at, text, 0, out);
}

/* name = before an argument; NULL without. */
static bd_status parse_label(parser *p, const char **label)
{
    const char *start, *s;
    skip_space(p);
    *label = NULL;
    for (start = s = p->here; in_name(*s);)
        s++;
    const char *end = s;
    while (isspace((unsigned char)*s))
        s++;
    if (end == start || *s != '=' || s[1] == '=')
        return BD_OK;
    p->here = s + 1;
    return bd_copy_text(p->arena, start, (size_t)(end - start), label);
}

static bd_status parse_arguments(parser *p, node *call)
{
    size_t n_labels = 0, children_room = 0, labels_room = 0;
    const size_t open = offset(p);
    p->here++;
    skip_space(p);
    while (*p->here != ')') {
        const char *label;
        node *argument = NULL;
        BD_TRY(parse_label(p, &label));
        BD_TRY(parse_operators(p, 0, &argument));
        BD_PUSH(p->arena, call->children, call->n_children, children_room, argument);
        BD_PUSH(p->arena, call->labels, n_labels, labels_room, label);
        skip_space(p);
        if (*p->here == ',')
            p->here++;
        else if (*p->here == '\0')
            return syntax_error(p->source, open, "this parenthesis is never closed");
        else if (*p->here != ')')
            return syntax_error(p->source, offset(p), "expected , or )");
    }
    p->here++;
    return BD_OK;
}

static bd_status parse_name(parser *p, node **out)
{
    const size_t at = offset(p);
    const char *start = p->here, *text;
    while (in_name(*p->here))
        p->here++;
    BD_TRY(bd_copy_text(p->arena, start, (size_t)(p->here - start), &text));
    skip_space(p);
    BD_TRY(new_node(p, *p->here == '(' ? NODE_CALL : NODE_NAME, at, text, 0, out));
    return *p->here == '(' ? parse_arguments(p, *out) : BD_OK;
}

static bd_status parse_unary(parser *p, const char *operator, int precedence, node **out)
{
    const size_t at = offset(p);
    p->here++;
    BD_TRY(new_node(p, NODE_UNARY, at, operator, 1, out));
    return parse_operators(p, precedence, &(*out)->children[0]);
}

static bd_status parse_parenthesis(parser *p, node **out)
{
    const size_t open = offset(p);
    p->here++;
    BD_TRY(parse_operators(p, 0, out));
    skip_space(p);
    if (*p->here != ')')
        return *p->here == '\0' ? syntax_error(p->source, open, "this parenthesis is never closed")
                                : syntax_error(p->source, offset(p), "expected an operator or )");
    p->here++;
    return BD_OK;
}

static bd_status parse_operand(parser *p, node **out)
{
    skip_space(p);
    const char c = *p->here;
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)p->here[1])))
        return parse_number(p, out);
    if (c == '"' || c == '\'' || c == '`')
        return parse_quoted(p, out);
    if (starts_name(c))
        return parse_name(p, out);
    if (c == '(')
        return parse_parenthesis(p, out);
    if (c == '-' || c == '+')
        return parse_unary(p, c == '-' ? "-" : "+", UNARY_MINUS, out);
    if (c == '!')
        return parse_unary(p, "!", UNARY_NOT, out);
    if (c == '~')
        return parse_unary(p, "~", 1, out);
    return c == '\0' ? syntax_error(p->source, offset(p), "a name or a number is missing here")
                     : syntax_error(p->source, offset(p), "expected a name or a number");
}

static const operator_rule *operator_here(parser *p)
{
    skip_space(p);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strncmp(p->here, operators[i].text, strlen(operators[i].text)) == 0)
            return &operators[i];
    return NULL;
}

/* An operand and the operators after it that bind at least as tightly as `lowest`. */
static bd_status parse_operators(parser *p, int lowest, node **out)
{
    const operator_rule *rule;
    node *left = NULL;
    if (++p->depth > MOST_DEPTH)
        return syntax_error(p->source, offset(p), "this is nested too deeply");
    BD_TRY(parse_operand(p, &left));
    while ((rule = operator_here(p)) != NULL && rule->precedence >= lowest) {
        node *both = NULL;
        if (++p->n_operators > MOST_OPERATORS)
            return syntax_error(p->source, offset(p), "more than %d operators", MOST_OPERATORS);
        BD_TRY(new_node(p, NODE_BINARY, offset(p), rule->name, 2, &both));
        p->here += strlen(rule->text);
        both->children[0] = left;
        BD_TRY(parse_operators(p, rule->right ? rule->precedence : rule->precedence + 1, &both->children[1]));
        left = both;
    }
    p->depth--;
    *out = left;
    return BD_OK;
}

bd_status syntax_parse(const syntax_source *source, bd_arena *arena, node **tree)
{
    parser p = {.source = source, .here = source->text, .arena = arena};
    BD_TRY(parse_operators(&p, 0, tree));
    skip_space(&p);
    if (*p.here == '=')
        return syntax_error(source, offset(&p), "compare with ==");
    if (*p.here != '\0')
        return syntax_error(source, offset(&p), "expected an operator");
    return BD_OK;
}

bool syntax_is(const node *tree, const char *name)
{
    return tree->kind == NODE_BINARY && strcmp(tree->text, name) == 0;
}

static int precedence_of(const node *tree)
{
    if (tree->kind == NODE_UNARY)
        return tree->text[0] == '!' ? UNARY_NOT : UNARY_MINUS;
    if (tree->kind == NODE_BINARY)
        for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
            if (strcmp(tree->text, operators[i].name) == 0)
                return operators[i].precedence;
    return HIGHEST;
}

static bd_status print_inside(const node *tree, int lowest, bd_arena *arena, const char **text)
{
    BD_TRY(syntax_print(tree, arena, text));
    return precedence_of(tree) < lowest ? bd_print(arena, text, "(%s)", *text) : BD_OK;
}

static bd_status print_name(const char *name, bd_arena *arena, const char **text)
{
    bool plain = starts_name(name[0]);
    for (const char *s = name; *s != '\0'; s++)
        plain &= in_name(*s);
    return bd_print(arena, text, plain ? "%s" : "`%s`", name);
}

static bd_status print_call(const node *call, bd_arena *arena, const char **text)
{
    BD_TRY(bd_print(arena, text, "%s(", call->text));
    for (size_t i = 0; i < call->n_children; i++) {
        const char *argument = NULL, *label = call->labels[i];
        BD_TRY(syntax_print(call->children[i], arena, &argument));
        BD_TRY(bd_print(arena, text, "%s%s%s%s%s", *text, i > 0 ? ", " : "", label ? label : "", label ? " = " : "",
                        argument));
    }
    return bd_print(arena, text, "%s)", *text);
}

static bd_status print_binary(const node *tree, bd_arena *arena, const char **text)
{
    const int precedence = precedence_of(tree);
    const bool right = tree->text[0] == '^', tight = right || tree->text[0] == ':';
    const char *left = NULL, *after = NULL;
    BD_TRY(print_inside(tree->children[0], right ? precedence + 1 : precedence, arena, &left));
    BD_TRY(print_inside(tree->children[1], right ? precedence : precedence + 1, arena, &after));
    return bd_print(arena, text, tight ? "%s%s%s" : "%s %s %s", left, tree->text, after);
}

bd_status syntax_print(const node *tree, bd_arena *arena, const char **text)
{
    const char *operand = NULL;
    switch (tree->kind) {
    case NODE_NUMBER:
        return bd_print(arena, text, "%.15g", tree->number);
    case NODE_TEXT:
        return bd_print(arena, text, "\"%s\"", tree->text);
    case NODE_NAME:
        return print_name(tree->text, arena, text);
    case NODE_CALL:
        return print_call(tree, arena, text);
    case NODE_UNARY:
        BD_TRY(print_inside(tree->children[0], precedence_of(tree), arena, &operand));
        return bd_print(arena, text, "%s%s", tree->text, operand);
    case NODE_BINARY:
        return print_binary(tree, arena, text);
    }
    return BD_OK;
}
