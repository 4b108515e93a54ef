/* Published numbers beside recomputed ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/analyses/reproduction.h>

#include "fixture.h"

static char room[64];

static const char *write_file(const char *name, const char *text)
{
    const char *path = NULL;
    must(bd_print(arena, &path, "%s/%s", room, name));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static int make_room(void **state)
{
    snprintf(room, sizeof room, "/tmp/bordin-claims-XXXXXX");
    return set_up(state) || mkdtemp(room) == NULL;
}

static int leave_room(void **state)
{
    static const char *const left[] = {"trial/findings.csv", "trial", "result.csv"};
    char path[128];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", room, left[i]);
        remove(path);
    }
    rmdir(room);
    return tear_down(state);
}

static bd_status read_findings(const char *rows, bd_claim **claims, size_t *n)
{
    char folder[80], text[1024];
    snprintf(folder, sizeof folder, "%s/trial", room);
    mkdir(folder, 0700);
    snprintf(text, sizeof text, "finding,quantity,published,command,table,row,column,times,source,note\n%s", rows);
    write_file("trial/findings.csv", text);
    return bd_claims_read(room, arena, claims, n);
}

static const char result[] = "table,term,estimate,p,key,value\n"
                             "document,,,,kind,regress\n"
                             "coefficients,(Intercept),1.234567,0.0004,,\n"
                             "coefficients,\"factor(g, ref = \"\"a\"\")[b]\",-0.5,0.3,,\n"
                             "fit,,12.5,,,\n"
                             "provenance,,,,rows.used,80\n";

static void test_reproduction__each_kind_of_end(void **state)
{
    bd_claim *c = NULL;
    size_t n = 0;
    (void)state;
    must(read_findings("a,b,1.23,x,coefficients,term=(Intercept),estimate,,paper,\n"
                       "a,p,<.001,x,coefficients,term=(Intercept),p,,paper,\n"
                       "a,g,-0.50,x,coefficients,\"term=factor(g, ref = \"\"a\"\")[b]\",estimate,,paper,\n"
                       "a,percent,1250,x,fit,,estimate,100,paper,\n"
                       "a,n,80,x,provenance,key=rows.used,value,,paper,\n"
                       "a,other,1.3,x,coefficients,term=(Intercept),estimate,,paper,rounded up in print\n"
                       "a,wrong,1.3,x,coefficients,term=(Intercept),estimate,,paper,\n"
                       "a,no row,1.3,x,coefficients,term=age,estimate,,paper,\n"
                       "a,no column,1.3,x,coefficients,term=age,beta,,paper,\n"
                       "a,text,1.3,x,document,,value,,paper,\n", &c, &n));
    static const bd_claim_end ends[] = {BD_CLAIM_AGREES, BD_CLAIM_AGREES,    BD_CLAIM_AGREES,  BD_CLAIM_AGREES,
                                        BD_CLAIM_AGREES, BD_CLAIM_EXPLAINED, BD_CLAIM_DIFFERS, BD_CLAIM_FAILED,
                                        BD_CLAIM_FAILED, BD_CLAIM_FAILED};
    const char *path = write_file("result.csv", result);
    assert_int_equal(n, sizeof ends / sizeof *ends);
    for (size_t i = 0; i < n; i++) {
        must(bd_claim_check(&c[i], path, arena));
        if (c[i].end != ends[i])
            fail_msg("%s ends as %d", c[i].quantity, c[i].end);
    }
    assert_string_equal(c[0].computed, "1.2346");
    assert_string_equal(c[7].why, "the command writes no estimate of term=age in its table 'coefficients'");
    assert_int_equal(bd_claims_open(c, n), 4);
}

static void test_reproduction__findings_that_cannot_be_read(void **state)
{
    bd_claim *c = NULL;
    size_t n = 0;
    (void)state;
    assert_int_equal(bd_claims_read(room, arena, &c, &n), BD_EDATA);
    assert_int_equal(bd_claims_read("/tmp/bordin-there-is-no-such-folder", arena, &c, &n), BD_EIO);
    assert_int_equal(read_findings("a,b,about 1,x,coefficients,,estimate,,paper,\n", &c, &n), BD_EDATA);
    assert_non_null(strstr(bd_message(), "'about 1' of b is not a number as it is printed"));
    assert_int_equal(read_findings("a,b,1.2,,coefficients,,estimate,,paper,\n", &c, &n), BD_EDATA);
    assert_non_null(strstr(bd_message(), "number 1 needs finding, quantity, published, command, table and column"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reproduction__each_kind_of_end, make_room, leave_room),
        cmocka_unit_test_setup_teardown(test_reproduction__findings_that_cannot_be_read, make_room, leave_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
