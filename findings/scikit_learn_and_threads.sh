#!/bin/bash
# Guess: with a random_state scikit-learn's results are the same on 1 and 2 threads, or else none of them are.
# True: some. K-means adds up its clusters' sums by thread, and an exact PCA follows the threads of the BLAS: other last
#   bits. Boosted trees by histograms, logistic regression and Gaussian mixtures of this size keep theirs.
# Versions: scikit-learn 1.9.1, NumPy 2.4.6. Source: run. Needs two cores.
# What we do: probes, judges and floors compute on one thread each, whatever the machine has (docs/reproducibility.md).
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
cat > fit.py <<'EOF'
import hashlib, numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

rng = np.random.default_rng(0)
codes = rng.normal(size=(5000, 10))
label = (codes[:, 0] + rng.normal(size=5000) > 0).astype(int)
wide = rng.normal(size=(500, 700))
for name, value in {
    "k_means": KMeans(8, n_init=1, random_state=0).fit(codes).cluster_centers_,
    "exact_pca": PCA(5, svd_solver="full").fit(wide).components_,
    "boosted_trees": HistGradientBoostingClassifier(random_state=0, max_iter=20).fit(codes, label).predict_proba(codes),
    "logistic": LogisticRegression().fit(codes, label).coef_,
    "mixture": GaussianMixture(3, random_state=0).fit(codes).means_,
}.items():
    print(name, hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:12])
EOF
for threads in 1 2; do
  OPENBLAS_CORETYPE=Haswell OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads venv/bin/python fit.py > $threads
done
paste -d ' ' 1 2 | while read -r name one _ two; do
  if [ "$one" = "$two" ]; then echo "$name: equal"; else echo "$name: differs"; fi
done | tee seen
test "$(grep -c differs seen)" = 2 && grep -q "k_means: differs" seen && grep -q "exact_pca: differs" seen
