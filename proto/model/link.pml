/* SPDX-License-Identifier: MPL-2.0 */
/* link.pml: one origin, one broker and two receiving nodes speak proto/link.md, while the broker crashes, a connection is
 * cut, a node is given up, and a name moves from one node to the other.
 *
 * The origin O sends the messages 1, 3 and 4 to the name x and message 2 to the name y. x is logged in at node A, and may
 * move to node B, where y is. What a side would send again on a resumed link is kept in one place, and not on the
 * connection; so a connection carries nothing that a cut could take, but the broker's answers about names.
 * README.md says what is left out, and why nothing is lost by that. */

#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef CUTS
#define CUTS 1
#endif
#ifndef GIVEUPS
#define GIVEUPS 1
#endif
#ifndef MOVES
#define MOVES 1
#endif
#ifndef VICTIMS
#define VICTIMS 7 /* nodes that may be given up */
#endif
#ifndef WINDOW
#define WINDOW 4 /* messages not known to be taken that the origin may have open */
#endif

#define COPIES 4
#define EVERY 30 /* messages 1 to 4 as a mask */
#define Y 4      /* the messages to y as a mask: 2 */
#define is_y(m) ((m) == 2)

#define O 0
#define A 1
#define B 2
#define NOBODY 3
#define ALL 7

#define bit(k) (1 << (k))
#define has(mask, k) (((mask) >> (k)) & 1)
#define add(mask, k) mask = mask | bit(k)
#define del(mask, k) mask = mask & ~bit(k)
#define floor_of(mask) (!has(mask, 1) -> 1 : (!has(mask, 2) -> 2 : (!has(mask, 3) -> 3 : (!has(mask, 4) -> 4 : 5))))
#define unsure(m, k) ((m) > k && !has(sure, k))
#if defined(BOUND) && !defined(NO_SPAN)
#define in_window(m) ((m) - floor_of(sure) < WINDOW)
#else
#define in_window(m) (unsure(m, 1) + unsure(m, 2) + unsure(m, 3) < WINDOW)
#endif

/* What the broker sends to a node. */
#define COPY 1
#define CONFIRMED 2
#define DENIED 3
#define LEFT 4

/* How the origin is told that a copy has ended. */
#define NO_SUCH_PEER 1
#define UNDELIVERED 2
#define UNCONFIRMED 3

/* The session for x at a node. */
#define ABSENT 0
#define WANTED 1 /* REGISTER is not answered */
#define PRESENT 2
#define PARTING 3 /* LEAVING is not answered */

/* Links (sections 2 and 9). */
byte joined = ALL;  /* nodes that believe that they have a link */
byte same = ALL;    /* nodes whose last WELCOME came from the instance that runs now */
byte told[3] = ALL; /* the nodes that their HELLO names */

/* The broker; a crash takes all of it. */
chan down[3] = [10] of { byte, byte, byte, byte }; /* to A and B: kind, number, again, floor */
chan notices = [12] of { byte, byte, byte };       /* to O: number, error, node whose report it is, or O */
byte known = ALL;   /* nodes that it keeps state of */
byte stated = ALL;  /* nodes that have said REGISTERED */
byte awaited = ALL; /* nodes that have come, or that a HELLO named */
bool settled = 1;
byte took;          /* the last number that it took of the origin */
byte again;         /* messages that came flagged again */
byte waiting;       /* messages that wait for the settling */
byte done;          /* messages that are taken */
byte at[3];         /* messages that it sent to a node which has not acknowledged them */
byte passed[3];     /* reports of a node that the origin has acknowledged */
byte owner = A;     /* of x */
bool leaving;       /* x is leaving A */
bool login;         /* REGISTER of x at B waits */
bool y_here = 1;    /* y is registered */

/* The origin. */
byte sent;      /* highest number that a broker took */
byte flagged;   /* numbers up to this one go flagged again */
byte gaps;      /* numbers in whose place it sends GAP */
byte sure;      /* messages that it knows to be taken */
byte result[5]; /* what it was told of each copy */
byte noted[3];  /* section 9: the log of reports, by node */

/* The receiving nodes. */
byte x_at[3];
byte doubt;      /* section 3: nodes whose session for x is doubtful */
byte log[3];     /* section 9 */
byte high[3];    /* the highest number that the session for x took */
byte unsaid[3];  /* taken, and not yet acknowledged */
byte unreported[3]; /* of those, the ones that are reported with the acknowledgement */
byte reports[3]; /* REPORTs that are not known to be taken */
byte returned[3]; /* entries of the log that were reported */
byte delivered[3];

/* What has happened. */
byte crashes, cuts, giveups;
bool asked;  /* somebody has asked for x at B */
bool parted; /* x has left A */
bool forgot; /* the broker has forgotten what it took of the origin */

#define moved (asked || parted)
#ifdef NO_DOUBT
#define doubtful(n) false
#else
#define doubtful(n) has(doubt, n)
#endif
#define was_delivered(m) (has(delivered[A] | delivered[B], m))
#define linked(n) (has(joined, n) && has(known, n))

/* The known limits, as README.md words them. */
#define limit_a(m) (moved && forgot && has(log[A], m))
#define limit_b(m) (giveups && crashes && result[m] == UNCONFIRMED)

hidden byte i, j, k, m, error, from, floor;
hidden byte flag;

/* ---- the broker ---- */

inline empty_queue(n)
{
    do
    :: nempty(down[n]) -> down[n] ? i, _, _, _
    :: empty(down[n]) -> break
    od;
    i = 0
}

/* Section 9: batches outlive a cut, control records do not. */
inline drop_controls(n)
{
    j = len(down[n]);
    do
    :: j > 0 ->
        down[n] ? i, m, flag, floor;
        if
        :: i == COPY -> down[n] ! i, m, flag, floor
        :: else
        fi;
        j--
    :: else -> break
    od;
    j = 0
}

/* Section 8: the notices that are kept for an origin that was given up; the messages of the others come again. */
#ifdef KEEP_REFUSALS
#define kept(what, whose) true
#elif defined(KEPT)
#define kept(what, whose) ((whose) != O || (what) == UNCONFIRMED)
#else
#define kept(what, whose) false
#endif

/* Section 5: NOTICE to the origin. */
inline notify(number, what, whose)
{
    if
    :: has(known, O) || kept(what, whose) -> notices ! number, what, whose
    :: else
    fi
}

inline refuse(number)
{
    notify(number, (has(again, number) -> UNCONFIRMED : NO_SUCH_PEER), O);
    add(done, number)
}

inline forward(number, n)
{
    add(at[n], number);
#ifdef BOUND
    down[n] ! COPY, number, has(again, number), floor_of(sure)
#else
    down[n] ! COPY, number, has(again, number), 0
#endif
}

/* Sections 5 and 9: a copy goes to its owner, waits for the settling, or is refused. */
inline route(number)
{
    if
    :: is_y(number) && y_here -> forward(number, B)
    :: !is_y(number) && owner != NOBODY && !leaving -> forward(number, owner)
    :: else ->
        if
        :: settled -> refuse(number)
        :: else -> add(waiting, number)
        fi
    fi
}

inline route_waiting()
{
    j = 1;
    do
    :: j <= COPIES ->
        if
        :: has(waiting, j) -> del(waiting, j); route(j)
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0
}

/* Section 3: a name that leaves is free when every batch to its node is acknowledged; then a login gets it. */
#ifdef NO_LEAVING
#define all_acknowledged(n) true
#else
#define all_acknowledged(n) (len(down[n]) == 0 && unsaid[n] == 0)
#endif

inline names_step()
{
    if
    :: leaving && all_acknowledged(A) -> leaving = 0; owner = NOBODY; down[A] ! LEFT, 0, 0, 0
    :: else
    fi;
    if
    :: login && owner == NOBODY && settled -> login = 0; owner = B; down[B] ! CONFIRMED, 0, 0, 0
    :: else
    fi;
    route_waiting()
}

/* The session that logged in last keeps the name. */
inline deny(n)
{
    assert(n == A || x_at[B] == WANTED);
    down[n] ! DENIED, 0, 0, 0
}

inline on_leaving()
{
    if
    :: owner == A -> leaving = 1
    :: else -> down[A] ! LEFT, 0, 0, 0
    fi
}

/* Section 3: a name that nobody can have got meanwhile is registered again at once, a doubtful one when the settling ends. */
inline on_register_again(n)
{
    if
    :: owner == n
    :: owner == NOBODY && (settled || !doubtful(n)) -> owner = n; del(doubt, n)
    :: owner == NOBODY && !settled && doubtful(n)
    :: owner != n && owner != NOBODY -> deny(n)
    fi
}

inline settle_doubt(n)
{
    if
    :: has(stated, n) && x_at[n] == PRESENT -> on_register_again(n)
    :: else
    fi
}

/* Section 9: of the doubtful sessions the one that logged in last keeps the name, and that is B's. */
inline settle()
{
    settled = 1;
#ifdef NO_TERMS
    settle_doubt(A);
    settle_doubt(B);
#else
    settle_doubt(B);
    settle_doubt(A);
#endif
    names_step()
}

inline on_register()
{
    if
    :: owner == B -> down[B] ! CONFIRMED, 0, 0, 0
    :: else -> login = 1
    fi
}

/* Section 2: all that a node says up to REGISTERED. */
inline on_restated(n)
{
    add(stated, n);
    if
    :: n == B -> y_here = 1
    :: else
    fi;
    if
    :: x_at[n] == PRESENT -> on_register_again(n)
    :: x_at[n] == WANTED -> on_register()
    :: x_at[n] == PARTING -> on_leaving()
    :: else
    fi
}

/* Section 9: on a resumed link the answers go before the batches that are sent again. */
inline send_again(n)
{
    do
    :: k > 0 -> down[n] ? i, m, flag, floor; down[n] ! i, m, flag, floor; k--
    :: else -> break
    od;
    m = 0
}

/* Sections 4 and 6: a message of a node brings REPORTs, and then the acknowledgement that they are part of. */
inline on_acknowledged(n)
{
    j = 1;
    do
    :: j <= COPIES ->
        if
        :: has(unreported[n], j) ->
            notify(j, UNDELIVERED, n);
            passed[n] = passed[n] | (has(known, O) -> 0 : bit(j))
        :: else
        fi;
        j++
    :: else -> break
    od;
    done = done | (at[n] & unsaid[n]);
    at[n] = at[n] & ~unsaid[n];
    unsaid[n] = 0;
    unreported[n] = 0;
    names_step()
}

inline forget_origin()
{
    took = 0; again = 0; waiting = 0; done = 0;
    at[A] = 0; at[B] = 0;
    forgot = 1
}

/* Section 8: the reports of notices that an origin has not acknowledged are taken; within its bounds the broker keeps them. */
inline end_notices()
{
    j = len(notices);
    do
    :: j > 0 ->
        notices ? m, error, from;
        passed[from] = passed[from] | (from == O -> 0 : bit(m));
        if
        :: kept(error, from) -> notices ! m, error, from
        :: else
        fi;
        j--
    :: else -> break
    od;
    m = 0
}

/* Section 8: what was not acknowledged ends as unconfirmed, and the names are free. */
inline end_copies(n)
{
    j = 1;
    do
    :: j <= COPIES ->
        if
        :: has(at[n], j) && !has(done, j) -> notify(j, UNCONFIRMED, O); add(done, j)
        :: else
        fi;
        j++
    :: else -> break
    od;
    at[n] = 0
}

inline give_up(n)
{
    giveups++;
    add(doubt, n);
    del(known, n); del(stated, n); del(awaited, n);
    del(told[O], n); del(told[A], n); del(told[B], n);
    if
    :: n == O -> end_notices(); forget_origin()
    :: else ->
        end_copies(n);
        passed[n] = 0;
        if
        :: owner == n -> owner = NOBODY; leaving = 0
        :: else
        fi;
        if
        :: n == B -> y_here = 0; login = 0
        :: else
        fi;
        names_step()
    fi
}

/* Section 2: WELCOME, and all that the node then says, up to REGISTERED, in one step: until then it says nothing else. */
inline welcome(n)
{
    add(known, n); add(same, n); add(joined, n);
    awaited = awaited | told[n] | bit(n);
#ifdef NO_AWAITED
    told[n] = known;
#else
    told[n] = awaited;
    add(told[O], n); add(told[A], n); add(told[B], n);
#endif
    k = len(down[n]);
    on_restated(n);
#ifndef LATE_ANSWERS
    send_again(n);
#endif
    names_step()
}

#define may_report(n) (unreported[n] == 0 || settled || has(known, O))

#define broker_may_take (linked(O) && took < COPIES && (took < flagged || in_window(took + 1)))
#define broker_may_hear(n) (linked(n) && (unsaid[n] | unreported[n]) != 0 && may_report(n))
#define a_may_leave (linked(A) && x_at[A] == PARTING && (owner == A -> !leaving : len(down[A]) == 0))
#define b_may_register (linked(B) && x_at[B] == WANTED && owner != B && !login)
#define may_settle (!settled && awaited != 0 && (awaited & ~stated) == 0)

active proctype Broker()
{
end:
    do
    /* The next record of the origin. */
    :: d_step { broker_may_take ->
        took++;
        sent = (sent < took -> took : sent);
        if
#ifndef NO_AGAIN
        :: took <= flagged -> add(again, took)
#endif
        :: else
        fi;
        if
#ifndef NO_GAP
        :: has(gaps, took) -> add(done, took)
#endif
        :: else -> route(took)
        fi }
    :: d_step { broker_may_hear(A) -> on_acknowledged(A) }
    :: d_step { broker_may_hear(B) -> on_acknowledged(B) }
    :: d_step { a_may_leave -> on_leaving(); names_step() }
    :: d_step { b_may_register -> login = 1; names_step() }
    :: d_step { may_settle -> settle() }
    od
}

/* ---- the origin ---- */

/* Section 9: on a fresh link all that is not taken goes again, but for what it was told of. */
inline begin_anew()
{
    took = floor_of(sure) - 1;
    gaps = sure;
    j = 1;
    do
    :: j <= COPIES ->
        if
        :: result[j] != 0 -> add(gaps, j)
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0
}

/* Every copy ends once, and nothing is reported that is not so. */
inline on_notice()
{
    if
    :: from != O -> add(passed[from], m)
    :: else
    fi;
    if
    :: from != O && has(noted[from], m) ->
#ifdef NO_REPORT_LOG
        assert(!has(sure, m))
#else
        skip
#endif
    :: else ->
        noted[from] = noted[from] | (from == O -> 0 : bit(m));
        assert(result[m] == 0 || limit_a(m) || limit_b(m));
        assert(error == UNCONFIRMED || !was_delivered(m) || limit_a(m));
        assert(error != UNCONFIRMED || giveups || moved);
        result[m] = error
    fi
}

inline on_notices()
{
    do
    :: nempty(notices) -> notices ? m, error, from; on_notice()
    :: empty(notices) -> break
    od;
    m = 0
}

/* The origin may forget what is taken, so by then it has heard whatever there is to hear of it. */
inline on_taken(mask)
{
    j = 1;
    do
    :: j <= COPIES ->
        assert(!has(mask, j) || has(sure, j) || was_delivered(j) || result[j] != 0);
        j++
    :: else -> break
    od;
    sure = sure | (mask)
}

#define resumes(n) (has(known, n) && has(same, n) && !has(joined, n))
#define begins(n) (!has(known, n) || !has(same, n))
#define origin_may_read (linked(O) && len(notices) > 0)
#ifdef LATE_NOTICES
#define origin_may_take (linked(O) && (done & ~sure) != 0)
#else
#define origin_may_take (linked(O) && (done & ~sure) != 0 && len(notices) == 0)
#endif
#ifdef NO_EXCEPTIONS
#define taken (done > 15 -> 30 : (done > 7 -> 14 : (done > 3 -> 6 : 2)))
#else
#define taken done
#endif

active proctype Origin()
{
end:
    do
    :: d_step { resumes(O) -> welcome(O) }
    /* What a broken connection may have swallowed was sent, too. */
    :: atomic { begins(O) ->
        flagged = (flagged < sent -> sent : flagged);
        do
        :: flagged < COPIES && in_window(flagged + 1) -> flagged++
#ifdef LAZY
        :: break
#else
        :: !(flagged < COPIES && in_window(flagged + 1)) -> break
#endif
        od;
        d_step { begin_anew(); welcome(O) } }
    :: d_step { origin_may_read -> on_notices() }
    :: d_step { origin_may_take -> on_taken(taken) }
    od
}

/* ---- the receiving nodes ---- */

/* Section 8: a node that was given up says nothing of what it took. Section 9: any other reports again. */
inline begin_node(n)
{
    empty_queue(n);
    unsaid[n] = 0;
    reports[n] = (has(same, n) -> 0 : reports[n]);
    unreported[n] = reports[n];
    welcome(n)
}

inline give_back(n)
{
    add(log[n], m);
    add(returned[n], m);
    add(reports[n], m);
    add(unreported[n], m)
}

inline deliver(n)
{
    assert(!has(delivered[n], m));
    assert(!was_delivered(m) || limit_a(m));
    assert(result[m] == 0 || result[m] == UNCONFIRMED || limit_a(m));
    if
    :: !is_y(m) ->
        assert((delivered[n] & ~Y) >> m == 0);
        assert(((delivered[A] | delivered[B]) & ~Y) >> m == 0 || (n == B && moved && forgot));
        high[n] = m
    :: else
    fi;
    add(log[n], m);
    add(delivered[n], m)
}

/* Sections 5 and 9. */
inline take(n, closed)
{
    down[n] ? _, m, flag, floor;
#ifdef BOUND
#ifndef NO_FLOOR
    log[n] = (log[n] >> floor) << floor;
#endif
#endif
    if
#ifdef HIGH_WATER
    :: flag && log[n] >> m != 0 -> skip
#elif !defined(NO_LOG)
    :: flag && has(log[n], m) ->
#ifndef NO_SECOND_REPORT
        if
        :: has(returned[n], m) -> give_back(n)
        :: else
        fi
#endif
#endif
    :: else ->
        if
        :: !is_y(m) && (x_at[n] == ABSENT || closed || (flag && m < high[n])) -> give_back(n)
        :: else -> deliver(n)
        fi
    fi;
    add(unsaid[n], m);
#ifdef BOUND
    assert(has(log[n], 1) + has(log[n], 2) + has(log[n], 3) + has(log[n], 4) <= WINDOW);
#endif
    m = 0
}

inline on_control(n)
{
    down[n] ? i, _, _, _;
    x_at[n] = (i == CONFIRMED -> PRESENT : ABSENT);
    del(doubt, n)
}

/* Section 8: a node that may have been given up takes nothing. */
#ifdef NO_THREE_QUARTERS
#define may_take(n) has(joined, n)
#else
#define may_take(n) linked(n)
#endif

#define reads_copy(n) (may_take(n) && down[n] ? [COPY, _, _, _])
#define reads_control(n) (linked(n) && len(down[n]) > 0 && !(down[n] ? [COPY, _, _, _]))
#define reads_taken(n) (linked(n) && passed[n] != 0)

proctype Node(byte n)
{
end:
    do
    :: d_step { resumes(n) -> welcome(n) }
    :: d_step { begins(n) -> begin_node(n) }
#ifdef CLOSED
    :: d_step { reads_copy(n) -> take(n, x_at[n] == PARTING) }
#else
    :: d_step { reads_copy(n) -> take(n, 0) }
#endif
    :: d_step { reads_control(n) -> on_control(n) }
    :: d_step { reads_taken(n) -> reports[n] = reports[n] & ~passed[n]; passed[n] = 0 }
    od
}

#define node_may_move(n) (resumes(n) || begins(n) || reads_copy(n) || reads_control(n) || reads_taken(n))
#define at_rest (!broker_may_take && !broker_may_hear(A) && !broker_may_hear(B) && !a_may_leave && !b_may_register && \
    !may_settle && !resumes(O) && !begins(O) && !origin_may_read && !origin_may_take && !node_may_move(A) && \
    !node_may_move(B))

/* ---- what goes wrong, and what people do ---- */

inline crash()
{
    crashes++;
    empty_queue(A); empty_queue(B);
    do
    :: nempty(notices) -> notices ? m, _, _
    :: empty(notices) -> break
    od;
    forget_origin();
    passed[A] = 0; passed[B] = 0;
    joined = 0; same = 0; known = 0; stated = 0; awaited = 0;
    owner = NOBODY; leaving = 0; login = 0; y_here = 0;
#ifdef NO_SETTLING
    settled = 1
#else
    settled = 0
#endif
}

inline cut(n)
{
    cuts++;
    del(joined, n); del(stated, n);
    drop_controls(n)
}

inline check_end()
{
    assert(sure == EVERY);
    assert(settled && waiting == 0 && (awaited == ALL || giveups));
    assert(x_at[A] != PARTING && reports[A] == 0 && reports[B] == 0);
    assert(x_at[B] != WANTED || x_at[A] == PRESENT);
    j = 1;
    do
    :: j <= COPIES ->
        assert(was_delivered(j) || result[j] != 0);
        assert(!was_delivered(j) || result[j] == 0 || result[j] == UNCONFIRMED || limit_a(j));
        j++
    :: else -> break
    od;
    j = 0
}

/* Section 9: the settling time is over before the node has come. */
inline stay_away(n)
{
    giveups++;
    add(doubt, n);
    del(awaited, n)
}

#define may_be_given_up(n) (giveups < GIVEUPS && has(VICTIMS, n) && has(known, n))
#define may_stay_away(n) (giveups < GIVEUPS && has(VICTIMS, n) && !settled && has(awaited, n) && !has(known, n))

active proctype Faults()
{
end:
    do
    :: d_step { crashes < CRASHES -> crash() }
    /* The same, and it takes so long that every name is doubtful. */
    :: d_step { crashes < CRASHES && doubt != ALL -> crash(); doubt = ALL }
    :: d_step { cuts < CUTS && linked(O) -> cut(O) }
    :: d_step { cuts < CUTS && linked(A) -> cut(A) }
    :: d_step { cuts < CUTS && linked(B) -> cut(B) }
    :: d_step { may_be_given_up(O) -> give_up(O) }
    :: d_step { may_be_given_up(A) -> give_up(A) }
    :: d_step { may_be_given_up(B) -> give_up(B) }
    :: d_step { may_stay_away(O) -> stay_away(O) }
    :: d_step { may_stay_away(A) -> stay_away(A) }
    :: d_step { may_stay_away(B) -> stay_away(B) }
    :: d_step { MOVES && !parted && x_at[A] == PRESENT -> parted = 1; x_at[A] = PARTING }
    :: d_step { MOVES && !asked && x_at[B] == ABSENT -> asked = 1; x_at[B] = WANTED }
    :: d_step { at_rest -> check_end() }
    od
}

init {
    atomic {
        told[O] = ALL; told[A] = ALL; told[B] = ALL;
        x_at[A] = PRESENT;
        run Node(A); run Node(B)
    }
}
