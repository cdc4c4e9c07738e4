"""Reads Parquet files with pyarrow and prints what is in them as JSON: the types, the groups, each row without its nulls.

For each file: {"types": {column: type}, "groups": n, "rows": [...], "after": rows left by a filter on the first column}.
"""

import json
import sys
from datetime import datetime

import pyarrow.parquet as pq


def plain(value):
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def read(path, after):
    file = pq.ParquetFile(path)
    leaves = [file.schema.column(at) for at in range(len(file.schema))]
    documents = {leaf.path for leaf in leaves if leaf.logical_type.type == "JSON"}
    table = file.read()
    rows = [
        {
            name: json.loads(value) if name in documents else plain(value)
            for name, value in row.items()
            if value is not None
        }
        for row in table.to_pylist()
    ]
    first = table.schema.names[0]
    filtered = pq.read_table(path, columns=[first], filters=[(first, ">", after)])
    types = {field.name: f"{field.type}{'' if field.nullable else ' not null'}" for field in table.schema}
    return {"types": types, "groups": file.num_row_groups, "rows": rows, "after": filtered.num_rows}


json.dump([read(path, json.loads(after)) for path, after in zip(sys.argv[1::2], sys.argv[2::2])], sys.stdout)
