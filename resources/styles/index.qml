<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="-1" classificationMax="1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="-1" maximumValue="1">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="84,48,5,255"/>
       <Option type="QString" name="color2" value="0,60,48,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.166666;166,97,26,255:0.333334;223,194,125,255:0.5;245,245,245,255:0.666667;128,205,193,255:0.833333;1,133,113,255"/>
      </Option>
     </colorramp>
     <item value="-1" color="#543005" alpha="255" label="-1"/>
     <item value="-0.666667" color="#a6611a" alpha="255" label="-0.666667"/>
     <item value="-0.333333" color="#dfc27d" alpha="255" label="-0.333333"/>
     <item value="0" color="#f5f5f5" alpha="255" label="0"/>
     <item value="0.333333" color="#80cdc1" alpha="255" label="0.333333"/>
     <item value="0.666667" color="#018571" alpha="255" label="0.666667"/>
     <item value="1" color="#003c30" alpha="255" label="1"/>
     <rampLegendSettings useContinuousLegend="1" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
