/* Generalised regression of a frame: the fit, the marginal effects that mean something, and the classification. */
#include <bordin/analyses/glm_regression.h>

#include <ctype.h>
#include <string.h>

#include <bordin/analyses/regression.h>

static bool is_word_part(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* Does the text hold the name, not as a part of another? */
static bool mentions(const char *text, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name))
        if ((at == text || !is_word_part(at[-1])) && !is_word_part(at[length]))
            return true;
    return false;
}

/* A term that shares a variable with another cannot be moved alone: x beside x:z, or beside x^2. */
static bool stands_alone(const bd_frame *frame, size_t term)
{
    const char *text = frame->terms[term];
    if (strchr(text, ':') != NULL)
        return false;
    for (size_t other = 0; other < frame->n_terms; other++)
        if (other != term && (mentions(frame->terms[other], text) || mentions(text, frame->terms[other])))
            return false;
    return true;
}

static bd_status find_margins(bd_glm_regression *regression, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    size_t *terms;
    bool *has_margin;
    BD_NEW(arena, terms, frame->n_columns);
    BD_NEW(arena, has_margin, frame->n_columns);
    for (size_t j = 0; j < frame->n_columns; j++) {
        terms[j] = frame->columns[j].term;
        has_margin[j] = terms[j] != SIZE_MAX && stands_alone(frame, terms[j]);
    }
    regression->has_margin = has_margin;
    return bd_glm_margins(&regression->design, regression->fit, terms, arena, &regression->margins);
}

bd_status bd_glm_regress(const bd_frame *frame, const bd_glm_regression_options *options, bd_arena *arena,
                         const bd_glm_regression **out)
{
    if (frame->response == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no outcome before '~'", frame->formula);
    bd_glm_regression *regression;
    BD_NEW(arena, regression, 1);
    regression->frame = frame;
    regression->options = *options;
    const bd_se_estimator *se = options->se;
    if (se == NULL)
        se = frame->cluster && !options->firth ? &bd_se_cr2 : &bd_se_classical;
    BD_TRY(bd_regression_design(frame, options->n_threads, arena, &regression->design.base));
    regression->design.offset = options->offset;
    regression->design.trials = options->trials;
    const bd_glm_options fitting = {
        .level = options->level, .max_iterations = options->max_iterations, .firth = options->firth};
    BD_TRY(bd_glm_fit(&regression->design, options->family, options->link, se, &fitting, arena, &regression->fit));
    regression->options.se = se;
    regression->options.link = regression->fit->link;
    const bd_glm_end end = regression->fit->end;
    if (end == BD_GLM_CONVERGED || end == BD_GLM_NO_OVERDISPERSION) {
        BD_TRY(find_margins(regression, arena));
        if (options->family == &bd_binomial)
            BD_TRY(bd_glm_classify(&regression->design, regression->fit, arena, &regression->classification));
    }
    *out = regression;
    return BD_OK;
}
