/* SPDX-License-Identifier: MPL-2.0 */
/* summary: a head of a few lines, then a listing each of the links, the DEALER writers, the session writers that hold
 * something, and the ledger. Nothing in the JSON is relied on. */
#include "ferry/summary.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "ferry/listing.h"

enum { WRITERS_SHOWN = 10, SIZE_TEXT = 32, DURATION_TEXT = 48 };

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : "-";
}

static const char *size_text(char text[SIZE_TEXT], int64_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double amount = (double)size;
    for (; amount >= 1024 && unit < 4; unit++)
        amount /= 1024;
    bool whole = amount == (double)(int64_t)amount;
    snprintf(text, SIZE_TEXT, "%.*f %s", whole ? 0 : 1, amount, units[unit]);
    return text;
}

static const char *duration_text(char text[DURATION_TEXT], int64_t seconds)
{
    if (seconds >= 86400)
        snprintf(text, DURATION_TEXT, "%" PRId64 " d %" PRId64 " h", seconds / 86400, seconds / 3600 % 24);
    else if (seconds >= 3600)
        snprintf(text, DURATION_TEXT, "%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds / 60 % 60);
    else if (seconds >= 60)
        snprintf(text, DURATION_TEXT, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
    else
        snprintf(text, DURATION_TEXT, "%" PRId64 " s", seconds);
    return text;
}

__attribute__((format(printf, 2, 3))) static void write_line(display_t *display, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    display_text(display, span_str(text));
}

static void write_head(const json_t *status, display_t *display)
{
    char up[DURATION_TEXT];
    bool ready = json_is_true(json_object_get(status, "ready"));
    const json_t *drain = json_object_get(status, "drain");
    const char *step = json_string_value(json_object_get(drain, "step"));
    bool has_step = step && *step;
    write_line(display, "ferryd %s, role %s, process %" PRId64 ", up %s", text_of(status, "version"),
        text_of(status, "role"), number_of(status, "pid"), duration_text(up, number_of(status, "uptime_s")));
    write_line(display, "  state      %s%s%s", text_of(drain, "state"), has_step ? ": " : "", has_step ? step : "");
    write_line(display, "  ready      %s%s", ready ? "yes" : "no: ", ready ? "" : text_of(status, "ready_reason"));
    write_line(display, "  sessions   %" PRId64, number_of(status, "sessions"));
    write_line(display, "  names      %" PRId64, number_of(status, "names"));
    size_t i;
    const json_t *address;
    json_array_foreach(json_object_get(status, "listening"), i, address) write_line(
        display, "  %-10s %s", i ? "" : "listening", json_is_string(address) ? json_string_value(address) : "-");
}

/* Writes a listing under its title, and frees it. */
static void write_listing(display_t *display, const char *title, listing_t **listing_p)
{
    write_line(display, "%s", "");
    write_line(display, "%s", title);
    listing_write(*listing_p, display);
    listing_destroy(listing_p);
}

static void write_links(const json_t *status, display_t *display)
{
    const json_t *links = json_object_get(status, "links");
    if (json_array_size(links) == 0)
        return;
    listing_t *listing = listing_new("broker,endpoint,worker,state,>epoch,>window,>open,>messages,>pauses");
    char size[SIZE_TEXT];
    size_t i;
    const json_t *link;
    json_array_foreach(links, i, link)
    {
        listing_add(listing, "%s", text_of(link, "broker"));
        listing_add(listing, "%s", text_of(link, "endpoint"));
        listing_add(listing, "%s", text_of(link, "actor"));
        listing_add(listing, "%s", text_of(link, "state"));
        listing_add(listing, "%" PRId64, number_of(link, "epoch"));
        listing_add(listing, "%s", size_text(size, number_of(link, "window_bytes")));
        listing_add(listing, "%s", size_text(size, number_of(link, "open_bytes")));
        listing_add(listing, "%" PRId64, number_of(link, "open_messages"));
        listing_add(listing, "%" PRId64, number_of(link, "pauses"));
    }
    write_listing(display, "Links to brokers", &listing);
}

static void write_dealer_writers(const json_t *status, display_t *display)
{
    const json_t *writers = json_object_get(status, "dealer_writers");
    if (json_array_size(writers) == 0)
        return;
    listing_t *listing = listing_new("node,state,>epoch,>names,>window,>open,>batches,>queued,>silent");
    char size[SIZE_TEXT];
    size_t i;
    const json_t *writer;
    json_array_foreach(writers, i, writer)
    {
        listing_add(listing, "%s", text_of(writer, "node"));
        listing_add(listing, "%s", text_of(writer, "state"));
        listing_add(listing, "%" PRId64, number_of(writer, "epoch"));
        listing_add(listing, "%" PRId64, number_of(writer, "names"));
        listing_add(listing, "%s", size_text(size, number_of(writer, "window_bytes")));
        listing_add(listing, "%s", size_text(size, number_of(writer, "open_bytes")));
        listing_add(listing, "%" PRId64, number_of(writer, "open_batches"));
        listing_add(listing, "%s", size_text(size, number_of(writer, "queued_bytes")));
        listing_add(listing, "%" PRId64 " ms", number_of(writer, "silent_ms"));
    }
    write_listing(display, "DEALER writers", &listing);
}

static bool writer_is_busy(const json_t *writer)
{
    return number_of(writer, "queued_bytes") > 0 || json_is_true(json_object_get(writer, "paused"));
}

/* Sessions may be thousands, and most of them hold nothing. */
static void write_session_writers(const json_t *status, display_t *display)
{
    listing_t *listing = listing_new("name,>queued,>copies,paused");
    char size[SIZE_TEXT];
    size_t busy = 0;
    size_t i;
    const json_t *writer;
    json_array_foreach(json_object_get(status, "session_writers"), i, writer)
    {
        if (!writer_is_busy(writer) || ++busy > WRITERS_SHOWN)
            continue;
        listing_add(listing, "%s", text_of(writer, "name"));
        listing_add(listing, "%s", size_text(size, number_of(writer, "queued_bytes")));
        listing_add(listing, "%" PRId64, number_of(writer, "queued_copies"));
        listing_add(listing, "%s", json_is_true(json_object_get(writer, "paused")) ? "yes" : "no");
    }
    if (busy > 0)
        write_listing(display, "Session writers that hold something", &listing);
    if (busy > WRITERS_SHOWN)
        write_line(display, "  and %zu more; --json has them all", busy - WRITERS_SHOWN);
    listing_destroy(&listing);
}

/* A counter, or one row for each of its reasons. */
static void add_account(listing_t *listing, const json_t *ledger, const char *key, const char *title)
{
    const json_t *value = json_object_get(ledger, key);
    if (!json_is_object(value)) {
        listing_add(listing, "%s", title);
        listing_add(listing, "%" PRId64, (int64_t)json_integer_value(value));
        return;
    }
    const char *reason;
    json_t *count;
    json_object_foreach((json_t *)value, reason, count)
    {
        listing_add(listing, "%s, %s", title, reason);
        listing_add(listing, "%" PRId64, (int64_t)json_integer_value(count));
    }
}

static void write_ledger(const json_t *status, display_t *display)
{
    const json_t *ledger = json_object_get(status, "ledger");
    listing_t *listing = listing_new("copies,>count");
    add_account(listing, ledger, "accepted", "accepted");
    add_account(listing, ledger, "taken_over", "taken over");
    add_account(listing, ledger, "made", "made for groups");
    add_account(listing, ledger, "delivered", "delivered");
    add_account(listing, ledger, "refused", "refused");
    add_account(listing, ledger, "returned", "returned");
    add_account(listing, ledger, "unconfirmed", "unconfirmed");
    add_account(listing, ledger, "handed_over", "handed over");
    add_account(listing, ledger, "shared", "shared by groups");
    add_account(listing, ledger, "pending", "pending");
    add_account(listing, ledger, "balance", "balance");
    write_listing(display, "Ledger", &listing);
}

void summary_write(const json_t *status, display_t *display)
{
    write_head(status, display);
    write_links(status, display);
    write_dealer_writers(status, display);
    write_session_writers(status, display);
    write_ledger(status, display);
}
