/* SPDX-License-Identifier: MPL-2.0 */
/* shutdown.pml: two gateways drain while their broker drains, and a connection is cut (proto/link.md, sections 6 and 11).
 *
 * Each gateway may accept one message to the client of the other, which may be slow, or gone. SIGTERM comes to each of the three
 * at any step. With SUCCESSOR a broker that has ended is started again. Without it no copy is held, for a held copy needs a
 * broker to hear of its end; then both gateways must come to their end by what the broker told them before it went.
 *
 * As in link.pml a record is read from its sender's state. What was not read when a socket is closed is lost: its reader can
 * read no more. Every record that a side reads only behind others has these in its guard. */

#ifndef CUTS
#define CUTS 1
#endif
#ifndef CRASHES
#define CRASHES 0 /* of the broker, which then has a successor */
#endif

#define other(g) (1 - (g))

/* A gateway's way to its end (section 11). */
#define RUNS 0
#define SETTLES 1 /* SIGTERM has come; until its message is settled */
#define LEAVES 2  /* LEAVE is said; until LEAVE-OK */
#define REPORTS 3 /* what its client did not take; until the report is taken */
#define PARTS 4   /* BYE is said; until BYE-OK */
#define ENDED 5   /* its DEALER is closed */

/* How a copy ended, and what its origin was told. */
#define DELIVERED 1
#define RETURNED 2
#define REFUSED 3
#define UNCONFIRMED 4

/* The gateways: as nodes, as origins of a message, and as receivers of the other's. */
byte stage[2];
bool joined[2] = 1;
bool same[2] = 1;     /* the last WELCOME came from the broker that runs now */
bool parted[2];       /* the last link ended with the broker's BYE */
bool quiet[2];        /* DRAIN is read: no messages any more */
bool accepted[2], taken[2], held[2];
bool again[2];        /* the message goes flagged again */
bool unsure[2];       /* from WELCOME until SETTLED it does not know what is held */
byte told[2];
bool received[2], holding[2];
byte outcome[2];
bool unsaid[2];       /* the acknowledgement of the copy, or END, and what goes before it */
bool owes[2];         /* its REPORT is not known to be taken */

/* The broker, by node, and by origin. */
bool running = 1, stopped, drains, parts, settling;
bool known[2] = 1, named[2] = 1, answered[2], leaving[2], gone[2];
bool passed[2];       /* the report of that node is taken */
bool has_message[2], waiting[2], open[2], on_hold[2], done[2];
byte notice[2];       /* to that origin, not acknowledged */

byte cuts, crashes;

#define linked(g) (running && joined[g] && known[g])
#define unread(g) (notice[g] != 0 || (done[g] && !taken[g]) || open[other(g)] || passed[g] || \
    (held[g] && !on_hold[g] && !unsure[g]) || (unsure[g] && !settling))
#define settled(g) (!accepted[g] || (taken[g] && !held[g] && !unsure[g]))

/* ---- the broker ---- */

/* Section 9: an origin ignores a second notice of a copy, so it is not sent here. */
inline notify(g, error)
{
    if
    :: known[g] && notice[g] == 0 -> notice[g] = error
    :: else -> passed[other(g)] = passed[other(g)] || error == RETURNED
    fi
}

inline route(g)
{
    waiting[g] = 0;
    if
    :: named[other(g)] -> open[g] = 1
    :: !named[other(g)] && settling -> waiting[g] = 1
    :: else -> notify(g, (again[g] -> UNCONFIRMED : REFUSED)); done[g] = 1
    fi
}

inline take_message(g)
{
    has_message[g] = 1;
    if
    :: taken[g] || told[g] != 0 -> done[g] = 1
    :: else -> route(g)
    fi
}

/* Section 6: REPORT, then the acknowledgement with HOLD, or END. */
inline hear(p)
{
    if
    :: owes[p] -> notify(other(p), RETURNED)
    :: else
    fi;
    unsaid[p] = 0;
    on_hold[other(p)] = holding[p];
    done[other(p)] = done[other(p)] || open[other(p)];
    open[other(p)] = 0
}

inline forget(g)
{
    known[g] = 0; named[g] = 0; answered[g] = 0; leaving[g] = 0; passed[g] = 0; notice[g] = 0;
    has_message[g] = 0; waiting[g] = 0; open[g] = 0; done[g] = 0
}

/* Section 8: notices that a node has not acknowledged end with it, and the reports that they pass on are taken. */
inline end_notice(g)
{
    passed[other(g)] = passed[other(g)] || notice[g] == RETURNED
}

/* A node that went without BYE is given up. */
inline give_up(p)
{
    if
    :: open[other(p)] || on_hold[other(p)] ->
        notify(other(p), UNCONFIRMED);
        open[other(p)] = 0; on_hold[other(p)] = 0; done[other(p)] = 1
    :: else
    fi;
    end_notice(p);
    forget(p)
}

/* Section 11: BYE goes to every node when all that it was sent is taken, and every node has answered DRAIN. */
#define finished(g) (!known[g] || (answered[g] && (!has_message[g] || done[g] || waiting[g]) && notice[g] == 0))

#define may_take(g) (linked(g) && !parts && accepted[g] && !has_message[g])
#define may_hear(p) (linked(p) && unsaid[p] && (!owes[p] || !settling || known[other(p)]) && (!parts || !owes[p]))
#define may_hear_leave(g) (linked(g) && stage[g] == LEAVES && named[g])
#define may_hear_drained(g) (linked(g) && quiet[g] && !answered[g] && (!accepted[g] || has_message[g]))
#define may_hear_bye(g) (linked(g) && stage[g] == PARTS && !unsaid[g])
#define may_settle (running && settling && (known[0] || stage[0] == ENDED) && (known[1] || stage[1] == ENDED))
#define may_part (running && drains && !parts && finished(0) && finished(1))
#define may_end (running && parts && !known[0] && !known[1])
#define may_give_up(g) (running && known[g] && stage[g] == ENDED)
#ifdef SUCCESSOR
#define may_come_back (!running)
#else
#define may_come_back false
#endif

/* Of what a node holds that answers the broker's BYE nothing is said: it states it to the successor. */
inline bye(g)
{
    end_notice(g);
    forget(g);
    gone[g] = 1
}

active proctype Broker()
{
    byte g;
end:
    do
    :: d_step { may_take(0) -> take_message(0) }
    :: d_step { may_take(1) -> take_message(1) }
    :: d_step { may_hear(0) -> hear(0) }
    :: d_step { may_hear(1) -> hear(1) }
    :: d_step { may_hear_leave(0) -> named[0] = 0; leaving[0] = 1 }
    :: d_step { may_hear_leave(1) -> named[1] = 0; leaving[1] = 1 }
    :: d_step { may_hear_drained(0) -> answered[0] = 1 }
    :: d_step { may_hear_drained(1) -> answered[1] = 1 }
    :: d_step { may_hear_bye(0) -> bye(0) }
    :: d_step { may_hear_bye(1) -> bye(1) }
    :: d_step { may_give_up(0) -> give_up(0) }
    :: d_step { may_give_up(1) -> give_up(1) }
    :: d_step { may_settle ->
        settling = 0;
#ifndef LATE_REPORTS
        if :: known[0] && unsaid[0] -> hear(0) :: else fi;
        if :: known[1] && unsaid[1] -> hear(1) :: else fi;
#endif
        if :: waiting[0] -> route(0) :: else fi;
        if :: waiting[1] -> route(1) :: else fi }
    :: d_step { may_part -> parts = 1 }
#ifdef NO_BROKER_BYE
    :: d_step { running && parts -> running = 0; forget(0); forget(1); joined[0] = 0; joined[1] = 0; same[0] = 0; same[1] = 0 }
#else
    :: d_step { may_end -> running = 0; joined[0] = 0; joined[1] = 0; same[0] = 0; same[1] = 0 }
#endif
    :: d_step { may_come_back ->
        running = 1; drains = 0; parts = 0; settling = 1;
        gone[0] = 0; gone[1] = 0; on_hold[0] = 0; on_hold[1] = 0 }
    od
}

/* ---- the gateways ---- */

/* An origin may go when its message is settled: by then it was told whatever there is to tell. */
inline check_settled(g)
{
    assert(!settled(g) || !accepted[g] || told[g] != 0 || outcome[other(g)] == DELIVERED)
}

/* Sections 2 and 9: a new link, resumed or fresh, and all that the node states on it. */
inline link(g)
{
    joined[g] = 1;
    if
    :: known[g] && same[g]
    :: else ->
        forget(g);
        known[g] = 1; same[g] = 1; gone[g] = 0;
#ifdef NO_SETTLED
        held[g] = taken[g] && on_hold[g];
        check_settled(g);
#else
        unsure[g] = 1;
#endif
        quiet[g] = 0; parted[g] = 0;
        again[g] = accepted[g];
        named[g] = (stage[g] < LEAVES);
        leaving[g] = (stage[g] == LEAVES);
        on_hold[other(g)] = holding[g];
        unsaid[g] = unsaid[g] || owes[g];
        if :: waiting[other(g)] && named[g] -> route(other(g)) :: else fi
    fi
}

/* Section 9, Duplicates, and section 6: written, held for a slow client, or returned. */
inline receive(p, how)
{
    if
    :: received[p] -> owes[p] = owes[p] || outcome[p] == RETURNED
    :: else ->
        received[p] = 1;
        outcome[p] = how;
        holding[p] = (how == 0);
        owes[p] = (how == RETURNED)
    fi;
    unsaid[p] = 1
}

inline end_hold(p, how)
{
    holding[p] = 0;
    outcome[p] = how;
    owes[p] = (how == RETURNED);
    unsaid[p] = 1
}

/* What is told is so. */
inline read_notice(g)
{
    assert(told[g] == 0 || told[g] == notice[g] || crashes);
    assert(notice[g] != REFUSED || !received[other(g)]);
    assert(notice[g] != UNCONFIRMED || crashes);
    told[g] = (told[g] == 0 -> notice[g] : told[g]);
    passed[other(g)] = passed[other(g)] || notice[g] == RETURNED;
    notice[g] = 0
}

/* Section 6: a notice comes before TAKEN, ENDED or SETTLED that rest on it. */
#ifdef LATE_NOTICES
#define told_first(g) true
#else
#define told_first(g) (notice[g] == 0)
#endif

#define reads_copy(p) (linked(p) && open[other(p)] && !unsaid[p])
#define reads_notice(g) (linked(g) && notice[g] != 0)
#define reads_taken(g) (linked(g) && done[g] && !taken[g] && told_first(g))
#define reads_ended(g) (linked(g) && held[g] && !on_hold[g] && !unsure[g] && told_first(g))
#define reads_settled(g) (linked(g) && unsure[g] && !settling && told_first(g))
#define reads_passed(g) (linked(g) && passed[g])
#define reads_drain(g) (linked(g) && drains && !quiet[g])
#define reads_leave_ok(g) (linked(g) && stage[g] == LEAVES && leaving[g] && !unsaid[g] && !unread(g))
#define reads_bye(g) (linked(g) && parts && !unread(g))
#define reads_bye_ok(g) (running && joined[g] && stage[g] == PARTS && gone[g])
/* Section 11: whether it may, or need not, come to a broker. */
#define idle(g) (settled(g) && !holding[g] && !owes[g] && !unsaid[g])
#define refused(g) (!running || (drains && !known[g]))
#define need_not_come(g) (!joined[g] && refused(g) && (stage[g] == PARTS || (stage[g] != RUNS && stage[g] != ENDED && \
    parted[g] && idle(g))))
#define may_link(g) (running && stage[g] != ENDED && !joined[g] && (known[g] || !drains))
#define accepts(g) (stage[g] == RUNS && !accepted[g] && joined[g] && known[g] && !quiet[g])
#define settles(g) (stage[g] == SETTLES && joined[g] && known[g] && settled(g))
#define reports(g) (stage[g] == REPORTS && !holding[g] && !owes[g])

proctype Gateway(byte g)
{
end:
    do
    :: d_step { may_link(g) -> link(g) }
    :: d_step { accepts(g) -> accepted[g] = 1 }
    :: d_step { reads_copy(g) -> receive(g, DELIVERED) }
    :: d_step { reads_copy(g) -> receive(g, RETURNED) }
#ifdef HOLDS
    :: d_step { reads_copy(g) -> receive(g, 0) }
    :: d_step { holding[g] && !unsaid[g] -> end_hold(g, DELIVERED) }
    :: d_step { holding[g] && !unsaid[g] -> end_hold(g, RETURNED) }
#endif
    :: d_step { reads_notice(g) -> read_notice(g) }
    :: d_step { reads_taken(g) -> taken[g] = 1; held[g] = on_hold[g]; check_settled(g) }
    :: d_step { reads_ended(g) -> held[g] = 0; check_settled(g) }
#ifdef NO_HELD_AGAIN
    :: d_step { reads_settled(g) -> unsure[g] = 0; held[g] = 0; check_settled(g) }
#else
    :: d_step { reads_settled(g) -> unsure[g] = 0; held[g] = taken[g] && on_hold[g]; check_settled(g) }
#endif
    :: d_step { reads_passed(g) -> passed[g] = 0; owes[g] = 0 }
    :: d_step { reads_drain(g) -> quiet[g] = 1 }
    :: d_step { stage[g] == RUNS -> stage[g] = SETTLES }
#ifdef NO_LEAVE
    :: d_step { settles(g) -> stage[g] = REPORTS }
#else
    :: d_step { settles(g) -> stage[g] = LEAVES }
#endif
    :: d_step { reads_leave_ok(g) -> stage[g] = REPORTS }
#ifdef NO_BYE
    :: d_step { reports(g) -> stage[g] = ENDED; joined[g] = 0 }
#else
    :: d_step { reports(g) -> stage[g] = PARTS }
#endif
    :: d_step { reads_bye_ok(g) -> stage[g] = ENDED; joined[g] = 0 }
    :: d_step { reads_bye(g) -> bye(g); parted[g] = 1; joined[g] = 0 }
    :: d_step { need_not_come(g) -> stage[g] = ENDED }
    od
}

/* ---- the rest ---- */

#define gateway_may_move(g) (may_link(g) || accepts(g) || reads_copy(g) || (holding[g] && !unsaid[g]) || reads_notice(g) || \
    reads_taken(g) || reads_ended(g) || reads_settled(g) || reads_passed(g) || reads_drain(g) || stage[g] == RUNS || \
    settles(g) || reads_leave_ok(g) || reports(g) || reads_bye_ok(g) || reads_bye(g) || need_not_come(g))
#define broker_may_move(g) (may_take(g) || may_hear(g) || may_hear_leave(g) || may_hear_drained(g) || may_hear_bye(g) || \
    may_give_up(g))
#define at_rest (stopped && !may_settle && !may_part && !may_end && !may_come_back && !broker_may_move(0) && !broker_may_move(1) && \
    !gateway_may_move(0) && !gateway_may_move(1))

/* Every drain has come to its end, and every copy to one. */
inline check_end(g)
{
    assert(stage[g] == ENDED);
    assert(!accepted[g] || (told[g] != 0) != (outcome[other(g)] == DELIVERED) || told[g] == UNCONFIRMED);
    assert(told[g] != RETURNED || outcome[other(g)] == RETURNED)
}

active proctype World()
{
end:
    do
    :: d_step { !stopped && running -> stopped = 1; drains = 1 }
    :: d_step { cuts < CUTS && running && joined[0] -> cuts++; joined[0] = 0 }
    :: d_step { cuts < CUTS && running && joined[1] -> cuts++; joined[1] = 0 }
    :: d_step { crashes < CRASHES && running ->
        crashes++;
        running = 0; joined[0] = 0; joined[1] = 0; same[0] = 0; same[1] = 0;
        forget(0); forget(1) }
    :: d_step { at_rest -> check_end(0); check_end(1); assert(!running || !drains) }
    od
}

init {
    atomic {
        run Gateway(0);
        run Gateway(1)
    }
}
