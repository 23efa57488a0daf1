"""dlt as its documentation shows it: the rest_api source, nested values kept as JSON, the postgres destination."""

import os

import dlt
from dlt.sources.rest_api import rest_api_source

source = rest_api_source({
    "client": {"base_url": os.environ["BENCH_URL"] + "/api/",
               "paginator": {"type": "cursor", "cursor_path": "meta.next_cursor", "cursor_param": "cursor"}},
    "resources": [{"name": "tickets", "primary_key": "id", "write_disposition": "replace", "max_table_nesting": 0,
                   "endpoint": {"path": "tickets", "params": {"limit": 100}, "data_selector": "data"}}]})
pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(os.environ["BENCH_TCP"]), dataset_name="dlt",
                        pipelines_dir=os.path.join(os.environ["HOME"], "dlt-" + str(os.getpid())))
pipeline.run(source).raise_on_failed_jobs()
