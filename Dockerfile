# Two images from one file: `runner` (normlaw, for studies, analyses and the cluster's scheduler and workers) and
# `mlflow` (the tracking server). Both run as a user of their own and hold no compiler.
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=1
RUN useradd --uid 10001 --create-home normlaw


FROM base AS build-mlflow
RUN python -m venv /opt/mlflow
ENV PATH=/opt/mlflow/bin:$PATH
COPY constraints.txt ./
# uvloop and httptools: without them the server answers every request on a kept connection some 40 ms late.
RUN pip install -c constraints.txt "mlflow[auth]" "psycopg[binary]" uvloop httptools


FROM base AS mlflow
COPY --from=build-mlflow /opt/mlflow /opt/mlflow
ENV PATH=/opt/mlflow/bin:$PATH MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false GIT_PYTHON_REFRESH=quiet
RUN install -d -o normlaw -g normlaw /var/lib/mlflow/artifacts
COPY deploy/basic_auth.ini /etc/mlflow/basic_auth.ini
USER normlaw
WORKDIR /var/lib/mlflow
EXPOSE 5000
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000"]


FROM base AS build-dependencies
# CPU builds by default. An empty TORCH_INDEX takes PyPI's, which bring CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /src
RUN python -m venv /opt/normlaw
ENV PATH=/opt/normlaw/bin:$PATH
COPY constraints.txt pyproject.toml ./
# What normlaw needs is a layer of its own, so that a change of code does not fetch or copy gigabytes again.
RUN pip install -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch torchvision
RUN python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
               print(*project['dependencies'], *project['optional-dependencies']['cluster'], sep='\n')" \
        > requirements.txt && pip install -c constraints.txt -r requirements.txt


FROM base AS build-wheel
# The version, as `git describe` would say it; without, the fallback that pyproject.toml states: .git is not here.
ARG NORMLAW_VERSION=
ENV SETUPTOOLS_SCM_PRETEND_VERSION=$NORMLAW_VERSION
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY registry registry
COPY plugins plugins
COPY platform platform
RUN pip wheel --no-deps --wheel-dir /wheels .


FROM base AS runner
# The user owns the environment, so that two lines add a plugin:  FROM normlaw-runner / RUN pip install PLUGIN
# What lies in /plugins (put there by `pip install --target`) adds plugins without building anything.
COPY --from=build-dependencies --chown=normlaw:normlaw /opt/normlaw /opt/normlaw
ENV PATH=/opt/normlaw/bin:$PATH PYTHONPATH=/plugins NORMLAW_HOME=/var/lib/normlaw GIT_PYTHON_REFRESH=quiet
RUN install -d -o normlaw -g normlaw /var/lib/normlaw /plugins /work /work/reports
USER normlaw
COPY --from=build-wheel /wheels /tmp/wheels
RUN pip install --no-deps /tmp/wheels/*.whl
WORKDIR /work
ENTRYPOINT ["normlaw"]
CMD ["--help"]
