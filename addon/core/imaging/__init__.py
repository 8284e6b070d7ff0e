"""Pictures: filling, resampling, segmentation by cuts, synthesis of texture."""
