"""A document's state stands in a column, kept by triggers: it follows from the document's hashes and its resource."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

PASSAGES_VERSION = "passages/1"
INDEX = "ix_documents_status"

# Whichever of the two rows is written last, its writer waits for the other's at the document's row, and sees it then.
OF_DOCUMENT = f"""
CREATE OR REPLACE FUNCTION pharos_document_status() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    read text;
    input text;
BEGIN
    SELECT r.status, concat('{PASSAGES_VERSION} ', r.content_hash) INTO read, input
        FROM resources r WHERE r.id = NEW.resource_id;
    NEW.status := CASE
        WHEN read = 'failed' THEN 'failed'
        WHEN read = 'pending' THEN 'uploaded'
        WHEN read = 'processing' THEN 'processing'
        WHEN NEW.ready_hash = input THEN 'ready'
        WHEN NEW.failed_hash = input THEN 'failed'
        WHEN NEW.passages_hash = input THEN 'indexed'
        ELSE 'processed'
    END;
    RETURN NEW;
END $$
"""
OF_RESOURCE = """
CREATE OR REPLACE FUNCTION pharos_resource_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE documents SET status = status WHERE resource_id = NEW.id;
    RETURN NULL;
END $$
"""
ON_DOCUMENTS = """
CREATE TRIGGER document_status BEFORE INSERT OR UPDATE ON documents
    FOR EACH ROW EXECUTE FUNCTION pharos_document_status()
"""
ON_RESOURCES = """
CREATE TRIGGER resource_read AFTER UPDATE OF status, content_hash ON resources FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.content_hash IS DISTINCT FROM NEW.content_hash)
    EXECUTE FUNCTION pharos_resource_read()
"""


def upgrade() -> None:
    op.add_column("documents", sa.Column("status", sa.Text(), server_default="uploaded", nullable=False))
    for statement in (OF_DOCUMENT, OF_RESOURCE, ON_DOCUMENTS, ON_RESOURCES):
        op.execute(statement)
    op.execute("UPDATE documents SET status = status")
    op.create_index(INDEX, "documents", ["status", "created_at", "id"], postgresql_include=["resource_id"])


def downgrade() -> None:
    op.drop_index(INDEX, "documents")
    op.execute("DROP TRIGGER resource_read ON resources")
    op.execute("DROP TRIGGER document_status ON documents")
    op.execute("DROP FUNCTION pharos_resource_read")
    op.execute("DROP FUNCTION pharos_document_status")
    op.drop_column("documents", "status")
