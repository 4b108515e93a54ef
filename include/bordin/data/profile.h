/* Profiles: what a formula makes of values that somebody asks about, such as a patient of 60 with an alliance of 3.
 *
 *     const char *const texts[] = {"alliance=3,site=a", "alliance=5,site=a"};
 *     const bd_profile_request request = {.texts = texts, .n = 2};
 *     BD_TRY(bd_frame_build(table, &spec, arena, &frame));                   and a model is fitted on the frame
 *     BD_TRY(bd_profiles_build(table, &spec, frame, &request, arena, &profiles));
 *     profiles->frame->columns[j].values[i]     of profile i, in the columns, and the coding, of the frame
 *
 * A profile gives values to columns of the file; expressions, such as log(age), center(age) or age:group, are made of
 * them as they were in the frame: with the means of the frame's rows. A predictor made of other rows, such as
 * between(alliance, site), is given as a whole: 'between(alliance, site)=3'. What a profile does not name is at its
 * mean in the used rows, by weight, or at its reference level.
 */
#ifndef BORDIN_DATA_PROFILE_H
#define BORDIN_DATA_PROFILE_H

#include <bordin/data/frame.h>

typedef struct bd_profile_request {
    const char *const *texts; /* n: "age=60,sex=female"; "means" names nothing */
    size_t n;
    size_t first_term;         /* terms of the formula before this one are no predictors, and none of the result's */
    const char *const *others; /* n_others: what may be named beside predictors, such as strata */
    size_t n_others;
} bd_profile_request;

typedef struct bd_profile {
    const char *name;          /* "age=60, sex=female" */
    const char *const *others; /* n_others: the value given; NULL: none */
} bd_profile;

typedef struct bd_profiles {
    size_t n;
    const bd_profile *profiles;
    const bd_frame
        *frame; /* n rows; columns, terms, factors, offset and extra only; the intercept's values are NULL */
    const char *const *notes; /* sentences: what is held where, and what lies outside the data */
    size_t n_notes;
} bd_profiles;

/* Builds the profiles in `arena`; table, specification and frame are those of the fit. Messages begin with --profile
 * and the text. BD_EUSAGE: not of the form name=value; a name that is no predictor, or given twice; a value that is
 * not a number; an expression that is not finite. BD_EDATA: a level that no used row has. */
BD_CHECKED bd_status bd_profiles_build(const bd_table *table, const bd_frame_spec *spec, const bd_frame *frame,
                                       const bd_profile_request *request, bd_arena *arena,
                                       const bd_profiles **profiles);

#endif
