/* The compiled core of the fan-out: seals the same packets under each viewer's key and hands them to the kernel.
 *
 * In: lanes' settings (`Outlet`), packets as tuples, a socket's descriptor. Out: datagrams, and counts of what became
 * of them. Whoever calls decides what is sent to whom; fanout.py does the same without this file, only slower.
 *
 * Everything the loop touches is guarded by one lock and not by the interpreter's: a burst runs while other Python
 * threads go on. Nobody who holds the lock waits for the interpreter. Nothing is allocated for a packet; buffers are
 * made once. */
#define _GNU_SOURCE
#define Py_LIMITED_API 0x030b0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "_sealing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SOL_UDP_LEVEL 17
#define UDP_SEGMENT_OPTION 103
#define HEADER_BYTES_MAX 20
/* The relay reads datagrams of at most 1,600 bytes; padding adds no more than 64. */
#define BODY_BYTES_MAX 2000
/* A run has 32 packets at most (track.RUN_PACKETS_MAX); the kernel's own limit is 64 segments. */
#define RUN_PACKETS_MAX 63
/* The most one UDP datagram may carry before it is cut into segments, with room for IPv6 headers. */
#define SEND_BYTES_MAX 65000
/* Sealed and sent in portions that stay in the processor's second-level cache. */
#define PORTION_BYTES 98304
#define BUFFER_BYTES (PORTION_BYTES + (RUN_PACKETS_MAX + 1) * (HEADER_BYTES_MAX + BODY_BYTES_MAX + TAG_BYTES))
#define MESSAGES_MAX 256
/* After this many sends that a path refused to have segmented, the caller takes over before more are tried. */
#define FAILURES_MAX 64

static PyTypeObject *tally_type, *outlet_type;

typedef struct {
    PyObject_HEAD
    unsigned long long packets;
    unsigned long long octets;
} Tally;

/* Never changes once it is made. */
typedef struct Outlet {
    PyObject_HEAD
    Key *key;
    Tally *tally;
    struct Outlet *rider;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t address_bytes;
    uint32_t ssrc;
    uint32_t phase;
    unsigned char payload_type;
    unsigned char send_time_id;
    uint32_t time_shift;
    int64_t shift;
} Outlet;

typedef struct {
    PyObject *owner;
    const unsigned char *body;
    int body_bytes;
    int64_t number;
    uint32_t timestamp;
    uint32_t send_time;
    int is_marked;
    int is_padded;
} Packet;

typedef struct {
    Py_ssize_t position;
    int error;
    unsigned segment;
    size_t bytes;
    unsigned char *datagrams;
} Failure;

typedef struct {
    unsigned long long calls, packets, octets, refused;
    int failure_count;
    Failure failures[FAILURES_MAX + MESSAGES_MAX];
} Outcome;

typedef union {
    struct cmsghdr head;
    unsigned char bytes[CMSG_SPACE(sizeof(uint16_t))];
} Control;

/* What is sealed and not yet sent. One for the process, guarded by the lock. */
static struct {
    int count;
    size_t used;
    struct mmsghdr messages[MESSAGES_MAX];
    struct iovec parts[MESSAGES_MAX];
    Control controls[MESSAGES_MAX];
    unsigned segments[MESSAGES_MAX];
    unsigned packets[MESSAGES_MAX];
    Py_ssize_t positions[MESSAGES_MAX];
    unsigned char buffer[BUFFER_BYTES];
} portion;

/* ---- Datagrams ---- */

static int header_bytes_of(const Outlet *outlet) { return outlet->send_time_id ? 20 : 12; }

static size_t datagram_bytes(const Outlet *outlet, const Packet *packet) {
    return (size_t)header_bytes_of(outlet) + (size_t)packet->body_bytes + TAG_BYTES;
}

/* One SRTP datagram at `out`; what CanonicalPacket.header and GcmOutbound.seal_rtp make of it in Python. */
static int write_datagram(const Outlet *outlet, const Packet *packet, unsigned char *out) {
    int64_t index = packet->number + outlet->shift;
    if (index < 0 || index >= (int64_t)1 << 48) return 0;
    uint32_t sequence = (uint32_t)(packet->number + outlet->phase) & 0xFFFF;
    out[0] = (unsigned char)(0x80 | (packet->is_padded ? 0x20 : 0) | (outlet->send_time_id ? 0x10 : 0));
    out[1] = (unsigned char)(outlet->payload_type | (packet->is_marked ? 0x80 : 0));
    out[2] = (unsigned char)(sequence >> 8);
    out[3] = (unsigned char)sequence;
    put_32(out + 4, packet->timestamp + outlet->time_shift);
    put_32(out + 8, outlet->ssrc);
    int header_bytes = header_bytes_of(outlet);
    if (outlet->send_time_id) { /* RFC 8285 section 4.2: one element of three bytes */
        put_32(out + 12, 0xBEDE0001);
        put_32(out + 16, (uint32_t)(outlet->send_time_id << 4 | 2) << 24 | packet->send_time);
    }
    unsigned char nonce[NONCE_BYTES];
    make_nonce(outlet->key, outlet->ssrc, (uint64_t)index, nonce);
    if (!seal(outlet->key, nonce, out, header_bytes, packet->body, packet->body_bytes, out + header_bytes)) return 0;
    outlet->tally->packets++;
    outlet->tally->octets += (unsigned long long)packet->body_bytes;
    return 1;
}

/* ---- Sending ---- */

static int is_segmentation_refused(int error) {
    return error == EIO || error == EOPNOTSUPP || error == ENOPROTOOPT || error == EINVAL || error == EMSGSIZE;
}

static void note_failure(Outcome *outcome, int at, int error) {
    size_t bytes = portion.parts[at].iov_len;
    unsigned char *copy = NULL;
    if (portion.packets[at] > 1 && is_segmentation_refused(error)) copy = malloc(bytes);
    if (copy == NULL) {
        outcome->refused += portion.packets[at];
        return;
    }
    memcpy(copy, portion.parts[at].iov_base, bytes);
    outcome->failures[outcome->failure_count++] =
        (Failure){portion.positions[at], error, portion.segments[at], bytes, copy};
}

/* Sends what is sealed. A message the kernel does not take is noted and passed over: each is tried once. */
static void flush(int descriptor, Outcome *outcome) {
    int at = 0;
    while (at < portion.count) {
        int taken = sendmmsg(descriptor, portion.messages + at, (unsigned)(portion.count - at), 0);
        if (taken <= 0) {
            note_failure(outcome, at, taken < 0 ? errno : EAGAIN);
            at++;
            continue;
        }
        for (int end = at + taken; at < end; at++) {
            outcome->calls++;
            outcome->packets += portion.packets[at];
            outcome->octets += portion.parts[at].iov_len;
        }
    }
    portion.count = 0;
    portion.used = 0;
}

/* Makes the bytes sealed last a message of their own: one datagram, or `packets` of `segment` bytes each. */
static void add_message(const Outlet *outlet, Py_ssize_t position, size_t bytes, unsigned packets, size_t segment) {
    int at = portion.count++;
    struct msghdr *message = &portion.messages[at].msg_hdr;
    portion.parts[at] = (struct iovec){portion.buffer + portion.used, bytes};
    memset(message, 0, sizeof *message);
    message->msg_name = (void *)&outlet->address;
    message->msg_namelen = outlet->address_bytes;
    message->msg_iov = &portion.parts[at];
    message->msg_iovlen = 1;
    if (packets > 1) {
        uint16_t size = (uint16_t)segment;
        message->msg_control = &portion.controls[at];
        message->msg_controllen = sizeof portion.controls[at];
        memset(&portion.controls[at], 0, sizeof portion.controls[at]);
        portion.controls[at].head.cmsg_level = SOL_UDP_LEVEL;
        portion.controls[at].head.cmsg_type = UDP_SEGMENT_OPTION;
        portion.controls[at].head.cmsg_len = CMSG_LEN(sizeof size);
        memcpy(CMSG_DATA(&portion.controls[at].head), &size, sizeof size);
    }
    portion.segments[at] = (unsigned)segment;
    portion.packets[at] = packets;
    portion.positions[at] = position;
    portion.used += bytes;
}

/* Seals a run for one outlet: one message where it may be segmented, else one a packet. */
static void seal_run(const Outlet *outlet, Py_ssize_t position, const Packet *run, int count, const Packet *guest,
                     int is_segmented, Outcome *outcome) {
    const Outlet *rider = guest != NULL ? outlet->rider : NULL;
    size_t segment = datagram_bytes(outlet, run), bytes = 0;
    unsigned packets = 0;
    for (int i = 0; i < count + (rider != NULL); i++) {
        const Outlet *from = i < count ? outlet : rider;
        const Packet *packet = i < count ? run + i : guest;
        size_t size = datagram_bytes(from, packet);
        /* Only the last segment may be shorter. What does not fit begins a message of its own. */
        if (packets && (!is_segmented || size > segment || bytes != packets * segment || bytes + size > SEND_BYTES_MAX)) {
            add_message(outlet, position, bytes, packets, segment);
            bytes = packets = 0;
        }
        if (!packets) segment = size;
        if (!write_datagram(from, packet, portion.buffer + portion.used + bytes)) {
            outcome->refused++;
            continue;
        }
        bytes += size;
        packets++;
    }
    if (packets) add_message(outlet, position, bytes, packets, segment);
}

/* Returns how many outlets, from the first on, were served. */
static Py_ssize_t send_all(int descriptor, Outlet **outlets, Py_ssize_t outlet_count, const Packet *run, int count,
                           const Packet *guest, int is_segmented, Outcome *outcome) {
    size_t bytes_max = (size_t)(count + 1) * (HEADER_BYTES_MAX + BODY_BYTES_MAX + TAG_BYTES);
    portion.count = 0;
    portion.used = 0;
    Py_ssize_t position = 0;
    for (; position < outlet_count; position++) {
        if (portion.used >= PORTION_BYTES || portion.used + bytes_max > BUFFER_BYTES ||
            portion.count + count + 1 > MESSAGES_MAX) {
            flush(descriptor, outcome);
            if (outcome->failure_count >= FAILURES_MAX) return position;
        }
        seal_run(outlets[position], position, run, count, guest, is_segmented, outcome);
    }
    flush(descriptor, outcome);
    return position;
}

/* ---- Tally: what was sent to one lane ---- */

static void plain_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyMemberDef tally_members[] = {
    {"packets", T_ULONGLONG, offsetof(Tally, packets), 0, "packets sealed for this lane"},
    {"octets", T_ULONGLONG, offsetof(Tally, octets), 0, "their payloads' bytes"},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot tally_slots[] = {
    {Py_tp_dealloc, plain_dealloc},
    {Py_tp_members, tally_members},
    {Py_tp_doc, "What was sent to one lane, over all its outlets."},
    {0, NULL},
};
static PyType_Spec tally_spec = {"livecommerce.media.compiled._sending.Tally", sizeof(Tally), 0, Py_TPFLAGS_DEFAULT, tally_slots};

/* ---- Outlet: one lane as the loop sees it ---- */

PyDoc_STRVAR(outlet_doc,
             "Outlet(key, tally, host, port, scope, ssrc, payload_type, phase, shift, time_shift, send_time_id, rider)\n\n"
             "Where a lane's packets go and what is theirs alone; `rider` is an outlet whose packet may come along, or None.\n"
             "ValueError where a lane cannot be like this.");

static PyObject *outlet_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    PyObject *key, *tally, *rider;
    const char *host;
    int port, payload_type, send_time_id;
    unsigned long scope, ssrc, phase, time_shift;
    long long shift;
    if (keywords != NULL && PyDict_Size(keywords) > 0) {
        PyErr_SetString(PyExc_TypeError, "Outlet takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!O!sikkikLkiO", key_type, &key, tally_type, &tally, &host, &port, &scope, &ssrc,
                          &payload_type, &phase, &shift, &time_shift, &send_time_id, &rider))
        return NULL;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    int is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
    if ((!is_v4 && inet_pton(AF_INET6, host, &v6.sin6_addr) != 1) || port < 0 || port > 65535 || scope > UINT32_MAX ||
        ssrc > UINT32_MAX || payload_type < 0 || payload_type > 127 || phase > 0xFFFF || time_shift > UINT32_MAX ||
        shift <= -(1LL << 47) || shift >= 1LL << 47 || send_time_id < 0 || send_time_id > 14 ||
        (rider != Py_None && !Py_IS_TYPE(rider, outlet_type))) {
        PyErr_SetString(PyExc_ValueError, "a lane cannot be like this");
        return NULL;
    }
    v4.sin_port = v6.sin6_port = htons((uint16_t)port);
    v6.sin6_scope_id = (uint32_t)scope;
    Outlet *self = (Outlet *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL) return NULL;
    self->key = (Key *)Py_NewRef(key);
    self->tally = (Tally *)Py_NewRef(tally);
    self->rider = rider == Py_None ? NULL : (Outlet *)Py_NewRef(rider);
    if (is_v4)
        self->address.v4 = v4;
    else
        self->address.v6 = v6;
    self->address_bytes = is_v4 ? sizeof v4 : sizeof v6;
    self->ssrc = (uint32_t)ssrc;
    self->payload_type = (unsigned char)payload_type;
    self->phase = (uint32_t)phase;
    self->shift = shift;
    self->time_shift = (uint32_t)time_shift;
    self->send_time_id = (unsigned char)send_time_id;
    return (PyObject *)self;
}

static void outlet_dealloc(PyObject *object) {
    Outlet *self = (Outlet *)object;
    Py_XDECREF((PyObject *)self->key);
    Py_XDECREF((PyObject *)self->tally);
    Py_XDECREF((PyObject *)self->rider);
    plain_dealloc(object);
}

static PyType_Slot outlet_slots[] = {
    {Py_tp_new, outlet_new},
    {Py_tp_dealloc, outlet_dealloc},
    {Py_tp_doc, (void *)outlet_doc},
    {0, NULL},
};
static PyType_Spec outlet_spec = {
    "livecommerce.media.compiled._sending.Outlet", sizeof(Outlet), 0, Py_TPFLAGS_DEFAULT, outlet_slots};

/* ---- The module ---- */

static int read_packet(PyObject *item, Packet *packet) {
    PyObject *body;
    char *bytes;
    Py_ssize_t length;
    long long number;
    unsigned long timestamp, send_time;
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "a packet is a tuple");
        return 0;
    }
    if (!PyArg_ParseTuple(item, "LkppkS", &number, &timestamp, &packet->is_marked, &packet->is_padded, &send_time, &body))
        return 0;
    if (PyBytes_AsStringAndSize(body, &bytes, &length) < 0) return 0;
    if (length > BODY_BYTES_MAX || number < 0 || number >= 1LL << 47 || timestamp > 0xFFFFFFFF || send_time > 0xFFFFFF) {
        PyErr_SetString(PyExc_ValueError, "no packet of a track is like this");
        return 0;
    }
    packet->owner = Py_NewRef(body);
    packet->body = (const unsigned char *)bytes;
    packet->body_bytes = (int)length;
    packet->number = number;
    packet->timestamp = (uint32_t)timestamp;
    packet->send_time = (uint32_t)send_time;
    return 1;
}

/* The outlets of a list, each with a reference, or NULL with an exception. */
static Outlet **hold_outlets(PyObject *list, Py_ssize_t *count) {
    Py_ssize_t wanted = PyList_Size(list);
    if (wanted < 0) return NULL;
    Outlet **outlets = PyMem_Malloc(sizeof(Outlet *) * (size_t)(wanted + 1));
    if (outlets == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (*count = 0; *count < wanted; (*count)++) {
        PyObject *item = PyList_GetItem(list, *count);
        if (item == NULL || !Py_IS_TYPE(item, outlet_type)) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "an outlet is wanted");
            for (Py_ssize_t i = 0; i < *count; i++) Py_DECREF(outlets[i]);
            PyMem_Free(outlets);
            return NULL;
        }
        outlets[*count] = (Outlet *)Py_NewRef(item);
    }
    return outlets;
}

static PyObject *failures_of(Outcome *outcome) {
    PyObject *list = PyList_New(0);
    for (int i = 0; i < outcome->failure_count; i++) {
        Failure *failure = &outcome->failures[i];
        PyObject *item = list == NULL ? NULL
                                      : Py_BuildValue("(niIy#)", failure->position, failure->error, failure->segment,
                                                      (const char *)failure->datagrams, (Py_ssize_t)failure->bytes);
        free(failure->datagrams);
        if (item == NULL || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

PyDoc_STRVAR(send_doc,
             "send(descriptor, outlets, packets, guest, is_segmented)\n"
             "-> (served, calls, packets, octets, refused, failures)\n\n"
             "Sends a run, (number, timestamp, marker, is_padded, send_time, body) each, to every outlet of a list, and\n"
             "the guest by the rider of those that have one. `calls` counts messages: the kernel gets many in one call.\n"
             "A failure is (position, errno, segment, datagrams): a segmented send that the path refused. After many of\n"
             "them `served` is less than all outlets; the caller goes on from there.");

static PyObject *send_run(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *list, *packet_list, *guest_item, *result = NULL;
    int descriptor, is_segmented, count = 0;
    if (!PyArg_ParseTuple(arguments, "iO!O!Op", &descriptor, &PyList_Type, &list, &PyList_Type, &packet_list, &guest_item,
                          &is_segmented))
        return NULL;
    Py_ssize_t wanted = PyList_Size(packet_list), outlet_count = 0, served;
    if (wanted < 1 || wanted > RUN_PACKETS_MAX) {
        PyErr_SetString(PyExc_ValueError, "a run has 1 to 63 packets");
        return NULL;
    }
    Packet run[RUN_PACKETS_MAX], guest = {0};
    Outlet **outlets = NULL;
    Outcome *outcome = NULL;
    for (; count < wanted; count++)
        if (!read_packet(PyList_GetItem(packet_list, count), run + count)) goto done;
    if (guest_item != Py_None && !read_packet(guest_item, &guest)) goto done;
    outlets = hold_outlets(list, &outlet_count);
    if (outlets == NULL) goto done;
    outcome = PyMem_Calloc(1, sizeof *outcome);
    if (outcome == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    Py_BEGIN_ALLOW_THREADS
    pthread_mutex_lock(&lock);
    served = send_all(descriptor, outlets, outlet_count, run, count, guest.owner != NULL ? &guest : NULL, is_segmented,
                      outcome);
    pthread_mutex_unlock(&lock);
    Py_END_ALLOW_THREADS
    PyObject *failures = failures_of(outcome);
    if (failures != NULL)
        result = Py_BuildValue("(nKKKKN)", served, outcome->calls, outcome->packets, outcome->octets, outcome->refused,
                               failures);
done:
    for (int i = 0; i < count; i++) Py_DECREF(run[i].owner);
    Py_XDECREF(guest.owner);
    for (Py_ssize_t i = 0; outlets != NULL && i < outlet_count; i++) Py_DECREF(outlets[i]);
    PyMem_Free(outlets);
    PyMem_Free(outcome);
    return result;
}

static PyMethodDef methods[] = {
    {"use", use, METH_VARARGS, use_doc},
    {"send", send_run, METH_VARARGS, send_doc},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_sending", "The compiled core of the fan-out.", -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__sending(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) return NULL;
    key_type = (PyTypeObject *)PyType_FromSpec(&key_spec);
    tally_type = (PyTypeObject *)PyType_FromSpec(&tally_spec);
    outlet_type = (PyTypeObject *)PyType_FromSpec(&outlet_spec);
    if (key_type == NULL || tally_type == NULL || outlet_type == NULL || PyModule_AddType(module, key_type) < 0 ||
        PyModule_AddType(module, tally_type) < 0 || PyModule_AddType(module, outlet_type) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
