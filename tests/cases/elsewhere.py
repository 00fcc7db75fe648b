"""Public names that have no row in the case table, and the files that test them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """Public names without a row, why they cannot have one, and the file that tests them."""

    why: str
    file: str
    names: str

    def __iter__(self) -> Iterator[str]:
        return iter(self.names.split())


ELSEWHERE = {
    "losses": [
        Elsewhere("bases", "test_public.py", "FormulaLoss MaskedLoss Loss"),
        Elsewhere("look-ups", "test_lookups.py", "get serialize deserialize"),
        Elsewhere("labels that depend on each other", "test_special_losses.py",
                  "CTC Circle Dice Tversky circle ctc dice tversky"),
        Elsewhere("sums over rows, sets, windows and stencils", "test_fields.py field_cases.py",
                  "CriticalSuccessIndex FractionsSkillScore Jaccard RootMeanSquaredError "
                  "SigmoidFocalCrossEntropy SobelMSE critical_success_index "
                  "fractions_skill_score jaccard root_mean_squared_error "
                  "sigmoid_focal_crossentropy sobel_mse"),
        Elsewhere("a function of the columns of a batch", "test_unlabelled.py",
                  "NonNegativePULoss non_negative_pu_loss"),
        Elsewhere("a function of the risk sets of a batch", "test_cox.py",
                  "CoxPartialLikelihood cox_partial_likelihood"),
        Elsewhere("one value per label", "test_symjax.py",
                  "hinge_loss sigmoid_crossentropy_logits squared_differences"),
        Elsewhere("of several tensors", "test_variational.py", "vae vae_comp_gmm vae_gmm"),
        Elsewhere("of hidden states and a kernel", "test_vocabulary.py", "linear_crossentropy"),
        Elsewhere("of several tensors, or of labels alone",
                  "test_astronn.py test_several_tensors.py",
                  "magic_correction_term mse_lin_wrapper mse_var_wrapper robust_mse "
                  "robust_binary_crossentropy robust_categorical_crossentropy "
                  "bayesian_binary_crossentropy_var_wrapper bayesian_binary_crossentropy_wrapper "
                  "bayesian_categorical_crossentropy_var_wrapper "
                  "bayesian_categorical_crossentropy_wrapper"),
    ],
    "metrics": [
        Elsewhere("bases", "test_public.py", "MaskedMetric MeanMetric Metric ColumnMetric"),
        Elsewhere("look-ups", "test_lookups.py", "get serialize deserialize"),
        Elsewhere("of labels alone", "test_observed_fraction.py", "ObservedFraction"),
        Elsewhere("over windows of fields", "test_field_metrics.py", "FractionsSkillScore"),
        Elsewhere("has a dict for a result", "test_per_label.py", "PerLabel"),
        Elsewhere("has a matrix for a result", "test_classification.py", "ConfusionMatrix"),
        Elsewhere("have a dict for a result", "test_interval.py test_by_group.py",
                  "ByGroup WithInterval"),
        Elsewhere("around other metrics", "test_of_mean.py", "OfMean"),
        Elsewhere("around other metrics", "test_families_in_use.py", "OfQuantile"),
        Elsewhere("of values without predictions", "test_reduction_metrics.py", "Mean Sum"),
        Elsewhere("of a batch", "test_symjax.py test_clustering.py",
                  "clustering_accuracy explained_variance"),
        Elsewhere("medians of rows, of columns or of all", "test_median_functions.py",
                  "mad_std median_absolute_deviation median_error "
                  "median_absolute_percentage_error median_percentage_error"),
    ],
}  # fmt: skip
OTHER_TESTS = {kind: {name for each in rows for name in each} for kind, rows in ELSEWHERE.items()}
"""Public names without a row: bases, look-ups, and what has no predictions."""
