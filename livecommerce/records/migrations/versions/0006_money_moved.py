"""When money was received and taken back, and by whom"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Of payments from before: by the fact, where it is kept still, else by the last change of a payment in that state. Who
# took one back is in the audit trail alone.
_AT = "(SELECT MAX(facts.at_ms) FROM facts WHERE facts.kind = '{kind}' AND facts.subject = payments.id)"


def upgrade() -> None:
    for name in ("paid", "voided"):
        op.add_column("payments", sa.Column(f"{name}_ms", sa.BigInteger(), nullable=False, server_default="0"))
        op.add_column("payments", sa.Column(f"{name}_by", sa.String(length=64), nullable=False, server_default=""))
    for column, kind, states in (
        ("paid_ms", "order.paid", "'paid'"),
        ("voided_ms", "payment.voided", "'void', 'undoing'"),
    ):
        last = f"CASE WHEN state IN ({states}) THEN updated_ms ELSE 0 END"
        op.execute(f"UPDATE payments SET {column} = COALESCE({_AT.format(kind=kind)}, {last})")
    op.execute("UPDATE payments SET paid_by = by_staff WHERE paid_ms > 0")
