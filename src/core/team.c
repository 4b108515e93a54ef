/* What a team's ranks tell each other. */
#include <bordin/core/team.h>

bd_status bd_team_agree(const bd_team *team)
{
    const size_t failed = team == NULL ? 0 : team->agree(team->context, false);
    if (team == NULL || failed == team->n_ranks)
        return BD_OK;
    return bd_fail(BD_ESTOPPED, "rank %zu failed", failed);
}

bool bd_team_same(const bd_team *team, double value)
{
    return team->largest(team->context, value) == -team->largest(team->context, -value);
}
