# The kit with everything it needs; the wheels of PyTorch bring CUDA along, so `docker run --gpus all` finds a GPU.
#   docker build -t autodl-solver .
#   docker run --rm autodl-solver
FROM python:3.12-slim

# OpenMP, which the wheels of LightGBM expect and a slim image lacks.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 autodl
WORKDIR /home/autodl

# The package first: this layer, which takes minutes, is built again only when the package changes.
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY autodl_solver/ autodl_solver/
RUN pip install --no-cache-dir --editable ".[kit]"

COPY model.py run_local_test.py ./
COPY ingestion/ ingestion/
COPY scoring/ scoring/
COPY sample_data/ sample_data/

USER autodl
CMD ["python", "run_local_test.py", "-dataset_dir=sample_data/digits", "-code_dir=.", "-time_budget=60"]
