/* AES-128-GCM keys of SRTP (RFC 7714) and what seals by them: the processor's own instructions, or OpenSSL's functions,
 * found at run time. In: a key, a salt, packets. Out: sealed bytes, and the type `Key` for Python. */
#ifndef SEALING_H
#define SEALING_H

#include <Python.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include "_sealing_x86.h"
#define HAS_X86 1
#else
#define HAS_X86 0
typedef char X86Key; /* never made */
#endif

#define TAG_BYTES 16
#define NONCE_BYTES 12
#define KEY_BYTES 16

/* OpenSSL's stable names and numbers (evp.h), so that its headers are not needed. */
#define CTRL_GET_TAG 0x10

static struct {
    void *(*context_new)(void);
    void (*context_free)(void *);
    const void *(*aes_128_gcm)(void);
    int (*init)(void *, const void *, void *, const unsigned char *, const unsigned char *, int);
    int (*update)(void *, unsigned char *, int *, const unsigned char *, int);
    int (*final)(void *, unsigned char *, int *);
    int (*control)(void *, int, int, void *);
} crypto;

/* How keys made from now on seal. */
static enum { BY_NOTHING, BY_X86, BY_OPENSSL } sealer = BY_NOTHING;

/* Guards all keys, and in _sending.c what is being sent. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static PyTypeObject *key_type;

/* `context` is OpenSSL's, or NULL for a key that the processor's own instructions use. */
typedef struct {
    PyObject_HEAD
    void *context;
    unsigned char salt[NONCE_BYTES];
    X86Key x86;
} Key;

static void put_32(unsigned char *place, uint32_t value) {
    place[0] = (unsigned char)(value >> 24);
    place[1] = (unsigned char)(value >> 16);
    place[2] = (unsigned char)(value >> 8);
    place[3] = (unsigned char)value;
}

/* RFC 7714 section 8.1: salt XOR (SSRC << 48 | packet index). */
static void make_nonce(const Key *key, uint32_t ssrc, uint64_t index, unsigned char *nonce) {
    unsigned char number[NONCE_BYTES] = {0};
    put_32(number + 2, ssrc);
    number[6] = (unsigned char)(index >> 40);
    number[7] = (unsigned char)(index >> 32);
    put_32(number + 8, (uint32_t)index);
    for (int i = 0; i < NONCE_BYTES; i++) nonce[i] = key->salt[i] ^ number[i];
}

/* Encrypts `bytes` of `plain` to `out`, with the tag behind them. 0 where OpenSSL refuses, which it never should. */
static int seal(const Key *key, const unsigned char *nonce, const unsigned char *header, int header_bytes,
                const unsigned char *plain, int bytes, unsigned char *out) {
    int written = 0;
#if HAS_X86
    if (key->context == NULL) {
        x86_seal(&key->x86, nonce, header, (size_t)header_bytes, plain, (size_t)bytes, out);
        return 1;
    }
#endif
    return crypto.init(key->context, NULL, NULL, NULL, nonce, 1) == 1 &&
           crypto.update(key->context, NULL, &written, header, header_bytes) == 1 &&
           (bytes == 0 || crypto.update(key->context, out, &written, plain, bytes) == 1) &&
           crypto.final(key->context, out + bytes, &written) == 1 &&
           crypto.control(key->context, CTRL_GET_TAG, TAG_BYTES, out + bytes) == 1;
}

/* ---- Key: one AES-128-GCM key with its salt ---- */

static PyObject *key_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    const char *secret, *salt;
    Py_ssize_t secret_bytes, salt_bytes;
    if (keywords != NULL && PyDict_Size(keywords) > 0) {
        PyErr_SetString(PyExc_TypeError, "Key takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "y#y#", &secret, &secret_bytes, &salt, &salt_bytes)) return NULL;
    if (secret_bytes != KEY_BYTES || salt_bytes != NONCE_BYTES) {
        PyErr_SetString(PyExc_ValueError, "a key has 16 bytes and a salt 12");
        return NULL;
    }
    if (sealer == BY_NOTHING) {
        PyErr_SetString(PyExc_RuntimeError, "nothing to seal with: call `use`");
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Key *self = (Key *)allocate(type, 0);
    if (self == NULL) return NULL;
    memcpy(self->salt, salt, NONCE_BYTES);
#if HAS_X86
    if (sealer == BY_X86) {
        x86_set_key(&self->x86, (const unsigned char *)secret);
        return (PyObject *)self;
    }
#endif
    self->context = crypto.context_new();
    if (self->context == NULL ||
        crypto.init(self->context, crypto.aes_128_gcm(), NULL, (const unsigned char *)secret, NULL, 1) != 1) {
        Py_DECREF(self);
        PyErr_SetString(PyExc_RuntimeError, "OpenSSL refuses the key");
        return NULL;
    }
    return (PyObject *)self;
}

static void key_dealloc(PyObject *object) {
    Key *self = (Key *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->context != NULL) crypto.context_free(self->context);
    explicit_bzero(&self->x86, sizeof self->x86);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(key_seal_doc, "seal(header, payload, ssrc, index) -> bytes\n\nheader + sealed payload + tag: one datagram.");

static PyObject *key_seal(PyObject *object, PyObject *arguments) {
    const char *header, *payload;
    Py_ssize_t header_bytes, payload_bytes;
    unsigned long ssrc;
    unsigned long long index;
    if (!PyArg_ParseTuple(arguments, "y#y#kK", &header, &header_bytes, &payload, &payload_bytes, &ssrc, &index))
        return NULL;
    if (header_bytes > 65535 || payload_bytes > 65535 || ssrc > 0xFFFFFFFF || index >= 1ULL << 48) {
        PyErr_SetString(PyExc_ValueError, "no SRTP packet is like this");
        return NULL;
    }
    PyObject *datagram = PyBytes_FromStringAndSize(NULL, header_bytes + payload_bytes + TAG_BYTES);
    if (datagram == NULL) return NULL;
    unsigned char *out = (unsigned char *)PyBytes_AsString(datagram), nonce[NONCE_BYTES];
    memcpy(out, header, (size_t)header_bytes);
    make_nonce((Key *)object, (uint32_t)ssrc, index, nonce);
    pthread_mutex_lock(&lock);
    int is_sealed = seal((Key *)object, nonce, out, (int)header_bytes, (const unsigned char *)payload,
                         (int)payload_bytes, out + header_bytes);
    pthread_mutex_unlock(&lock);
    if (!is_sealed) {
        Py_DECREF(datagram);
        PyErr_SetString(PyExc_RuntimeError, "OpenSSL refuses to encrypt");
        return NULL;
    }
    return datagram;
}

static PyMethodDef key_methods[] = {
    {"seal", key_seal, METH_VARARGS, key_seal_doc},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot key_slots[] = {
    {Py_tp_new, key_new},
    {Py_tp_dealloc, key_dealloc},
    {Py_tp_methods, key_methods},
    {Py_tp_doc, "Key(key, salt): an AES-128-GCM key of 16 bytes with its salt of 12 (RFC 7714)."},
    {0, NULL},
};
static PyType_Spec key_spec = {"livecommerce.media.compiled._sending.Key", sizeof(Key), 0, Py_TPFLAGS_DEFAULT, key_slots};

/* ---- Choosing ---- */

/* OpenSSL's functions of the library. 0 and an exception where it has not got them. */
static int find_openssl(const char *name) {
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        PyErr_SetString(PyExc_OSError, dlerror());
        return 0;
    }
    const struct {
        const char *name;
        void **place;
    } wanted[] = {
        {"EVP_CIPHER_CTX_new", (void **)&crypto.context_new},   {"EVP_CIPHER_CTX_free", (void **)&crypto.context_free},
        {"EVP_aes_128_gcm", (void **)&crypto.aes_128_gcm},      {"EVP_CipherInit_ex", (void **)&crypto.init},
        {"EVP_CipherUpdate", (void **)&crypto.update},          {"EVP_CipherFinal_ex", (void **)&crypto.final},
        {"EVP_CIPHER_CTX_ctrl", (void **)&crypto.control},
    };
    void *found[sizeof wanted / sizeof *wanted];
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        found[i] = dlsym(library, wanted[i].name);
        if (found[i] == NULL) {
            PyErr_Format(PyExc_OSError, "%s has no %s", name, wanted[i].name);
            dlclose(library);
            return 0;
        }
    }
    /* Another library may have been in use: keys of it keep their contexts, so it stays and this one is left. */
    if (crypto.context_new != NULL) return 1;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) *wanted[i].place = found[i];
    return 1;
}

PyDoc_STRVAR(use_doc,
             "use(sealer)\n\n"
             "Keys made from now on seal by \"AES-NI\", or by OpenSSL in the library of this name. OSError where that is not here.");

static PyObject *use(PyObject *module, PyObject *arguments) {
    (void)module;
    const char *name;
    if (!PyArg_ParseTuple(arguments, "s", &name)) return NULL;
    if (strcmp(name, "AES-NI") == 0) {
#if HAS_X86
        if (x86_is_able()) {
            sealer = BY_X86;
            Py_RETURN_NONE;
        }
#endif
        PyErr_SetString(PyExc_OSError, "this processor has no AES-NI");
        return NULL;
    }
    if (!find_openssl(name)) return NULL;
    sealer = BY_OPENSSL;
    Py_RETURN_NONE;
}

#endif
