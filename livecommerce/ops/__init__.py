"""Operations: the embedded Valkey, the process supervisor, logging, metrics, health and `doctor`.

In: settings and signals. Out: running processes, log lines without secrets, figures, findings with what to do.
May not: know what a show, an order or a comment is.
"""
