"""How the norm of every layer at the optimum grows with the train size: gamma_2, layer by layer."""

from normlaw.analysis.layer_growth.growth import LayerGrowth, layer_growth

__all__ = ["LayerGrowth", "layer_growth"]
